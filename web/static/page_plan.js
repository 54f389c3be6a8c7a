/* Plan: who does what when. One calendar of preventive and predictive work as a Gantt by crew, a month
 * or a list. A job opens a card with its risk, cost and window; with a key it can be pinned, approved
 * or moved to another day. */

import { h, clear, place } from './dom.js';
import { t, word } from './messages.js';
import { apiKey, get, getTagged, send, seg, url } from './api.js';
import * as f from './format.js';
import { glyph } from './glyphs.js';
import { head, setAnswer, panel, strip, segmented, menu, into, empty, figure, withKey, done, errorText,
    dialog } from './ui.js';

const VIEWS = ['calendar', 'gantt', 'list'];
const KINDS = ['predictive', 'preventive', 'inspection', 'corrective', 'emergency'];
const WEEKS = [2, 4, 8, 12];
const JOB = 30;     /* px from one row of jobs to the next */
const FOLD = 3;     /* as many equal jobs of a day stand as one */
const LOAD = 22;    /* px of the hours at the bottom of a crew */

const viewOf = (query) => (VIEWS.includes(query.get('view')) ? query.get('view') : 'gantt');
const weeksOf = (query) => (WEEKS.includes(Number(query.get('weeks'))) ? Number(query.get('weeks')) : 4);
const monday = (iso) => f.addDays(iso, -f.weekday(iso));

export async function show(ctx) {
    ctx.title(t('nav_plan'));
    const view = { ctx, data: null };
    view.headBox = h('div');
    view.doneBox = h('div');
    view.stripBox = h('div');
    view.box = h('div', { class: 'panel long' });
    view.below = h('div', { class: 'cols plan-cols' });
    ctx.root.append(view.headBox, view.doneBox, view.stripBox, view.box, view.below);
    drawHead(view);
    clear(view.stripBox, strip(['plan_cost', 'plan_placed', 'plan_left', 'plan_not'].map((k) => ({
        label: t(k, { n: weeksOf(ctx.query) }), big: '\u00a0', under: '' }))));
    load(view);
    return {
        update: (next) => {
            const reload = next.query.get('from') !== view.ctx.query.get('from')
                || weeksOf(next.query) !== weeksOf(view.ctx.query);
            view.ctx = next;
            drawHead(view);
            return reload ? load(view) : draw(view);
        },
        keys: { '[': () => move(view, -7), ']': () => move(view, 7),
            j: () => step(view, 1), k: () => step(view, -1) },
    };
}

function step(view, by) {
    const jobs = [...view.box.querySelectorAll('.job')];
    const i = jobs.indexOf(document.activeElement);
    jobs[Math.max(0, Math.min(jobs.length - 1, i + by))]?.focus();
}

/* First and last day shown: whole weeks from the week of `from` or of today. */
function span(query) {
    const wanted = /^\d{4}-\d\d-\d\d$/.test(query.get('from') || '') ? query.get('from')
        : f.addDays(f.isoDay(f.siteNow()), 2); /* from Saturday on, the coming week */
    const from = monday(wanted);
    return { from, to: f.addDays(from, 7 * weeksOf(query)), n: 7 * weeksOf(query) };
}

function move(view, days) {
    view.ctx.go(view.ctx.href({ from: f.addDays(span(view.ctx.query).from, days) }));
}

async function load(view) {
    const { query, signal } = view.ctx;
    const { from, to } = span(query);
    await into(view.box, { rows: 9, what: t('nav_plan'), make: async () => {
        view.data = await get('/schedule', { from, to, kind: 'all' }, { signal });
        draw(view);
    } });
}

function draw(view) {
    if (!view.data) return;
    setAnswer(view.headBox.querySelector('.answer'), view.data.answer);
    clear(view.stripBox, summary(view));
    const items = filtered(view);
    const body = { gantt, calendar, list }[viewOf(view.ctx.query)](view, items);
    const keep = document.activeElement?.closest?.('.menu') !== null;
    const made = panel({ title: null, body: [h('header', null, h('h2', { class: 'vh' }, t('nav_plan')),
        chips(view), h('span', { class: 'note' }, viewOf(view.ctx.query) === 'gantt' ? t('gantt_note')
            : t('n_jobs', { n: items.length })))].concat(body), footer: legend() });
    clear(view.box, [...made.childNodes]);
    if (keep && document.activeElement === document.body) view.box.querySelector('summary')?.focus();
    clear(view.below, changes(view.data), drops(view.data));
}

function drawHead(view) {
    const { query } = view.ctx;
    const { from, to } = span(query);
    clear(view.headBox, head({ title: t('nav_plan'), actions: [
        segmented(t('view'), VIEWS.map((v) => ({ label: t(`view_${v}`), on: v === viewOf(query),
            href: view.ctx.href({ view: v === 'gantt' ? null : v }) }))),
        h('a', { class: 'btn', href: view.ctx.href({ from: f.addDays(from, -7) }),
            'aria-label': t('week_back') }, '‹'),
        h('a', { class: 'btn', href: view.ctx.href({ from: null }) }, t('today')),
        h('a', { class: 'btn', href: view.ctx.href({ from: f.addDays(from, 7) }),
            'aria-label': t('week_on') }, '›'),
        h('a', { class: 'btn', href: url('/schedule.ics', { from, to }), download: 'plan.ics' }, '.ics'),
        h('button', { class: 'btn', type: 'button', on: { click: () => saveCsv(view) } }, 'CSV')] }));
}

function chips(view) {
    const { query } = view.ctx;
    const kinds = new Set((query.get('kind') || '').split(',').filter(Boolean));
    const areas = [...new Set((view.data.items || []).map((i) => i.area).filter(Boolean))].sort();
    const boxes = KINDS.map((k) => {
        const box = h('input', { type: 'checkbox', on: { change: () => {
            const next = new Set(kinds);
            if (next.has(k)) next.delete(k);
            else next.add(k);
            view.ctx.go(view.ctx.href({ kind: [...next].join(',') }), { replace: true });
        } } });
        box.checked = kinds.has(k);
        return h('label', null, box, word('kind', k));
    });
    return h('div', { class: 'chips' },
        menu({ label: kinds.size ? [...kinds].map((k) => word('kind', k)).join(', ') : t('all_kinds'),
            isSet: kinds.size, body: boxes }),
        areas.length ? menu({ label: query.get('area') || t('all_areas'), isSet: query.get('area'),
            body: [null, ...areas].map((a) => h('a', { class: 'item', href: view.ctx.href({ area: a }) },
                a ? a.replaceAll('/', ' › ') : t('all_areas'))) }) : null,
        menu({ label: t('n_weeks', { n: weeksOf(query) }), isSet: weeksOf(query) !== 4,
            body: WEEKS.map((n) => h('a', { class: 'item', href: view.ctx.href({ weeks: n === 4 ? null
                : n }) }, t('n_weeks', { n }))) }));
}

function filtered(view) {
    const kinds = new Set((view.ctx.query.get('kind') || '').split(',').filter(Boolean));
    const area = view.ctx.query.get('area');
    return (view.data.items || []).filter((i) => (!kinds.size || kinds.has(i.kind))
        && (!area || (i.area || '').startsWith(area)));
}

function summary(view) {
    const d = view.data;
    const q = d.summary || {};
    const { from, to } = span(view.ctx.query);
    const call = url('/schedule', { from, to });
    const title = q.days ? t('plan_cost', { n: Math.round(q.days / 7) }) : t('plan_cost_all');
    const missing = (d.not_placed || []).slice(0, 2).map((n) => `${n.asset || n.key}: ${n.why}`)
        .join(' · ');
    const hasBound = q.bound !== null && q.bound !== undefined;
    return strip([
        { label: title, big: figure(f.money(q.expected_cost),
            () => ({ title, formula: t('formula_plan'), call, inputs: [[t('value'),
                f.money(q.expected_cost, 5)], [t('bound'), f.money(q.bound, 5)],
            [t('gap'), f.percent(q.gap_frac, 1)]] })),
        rest: hasBound ? t('best_bound', { v: f.amount(q.bound) }) : '',
        under: hasBound ? t('plan_gap', { p: f.percent(q.gap_frac, 1), s: f.estimate(q.seconds, 2) })
            : '' },
        { label: t('plan_placed'), big: f.count(q.placed), rest: t('jobs_hours', { n: q.placed ?? 0,
            h: f.count(q.hours), of: f.count(q.hours_available) }),
        under: t('by_kind', { predictive: f.count(q.predictive), preventive: f.count(q.preventive),
            other: f.count(q.other) }) },
        { label: t('plan_left'), big: f.money(q.risk_left), rest: q.risk_total === null
            || q.risk_total === undefined ? '' : t('of_v', { v: f.amount(q.risk_total, 4) }),
        under: t('plan_left_under') },
        { label: t('plan_not'), big: f.count(q.not_placed ?? (d.not_placed || []).length),
            rest: t('jobs_word', { n: q.not_placed ?? (d.not_placed || []).length }), under: missing
                ? h('button', { class: 'fig', type: 'button', on: { click: () => dialog(t('plan_not'),
                    notPlacedTable(d)) } }, missing) : t('all_placed') },
    ]);
}

function notPlacedTable(d) {
    return h('div', { class: 'scroll' }, h('table', { class: 'tight' }, h('tbody', null,
        (d.not_placed || []).map((n) => h('tr', null, h('td', null, n.asset ? h('a', { class: 'tag',
            href: `/asset/${seg(n.asset)}` }, n.asset) : n.key), h('td', null, n.title),
        h('td', null, n.why))))));
}

function legend() {
    const item = (cls, label) => h('span', null, h('i', { class: `swatch ${cls}` }), label);
    return h('span', { class: 'legend' }, item('predictive', word('kind', 'predictive')),
        item('preventive', word('kind', 'preventive')), item('inspection', word('kind', 'inspection')),
        item('corrective', word('kind', 'corrective')), item('window', t('window_in_hand')),
        item('away hatch', t('crew_away')));
}

/* --- Gantt ---------------------------------------------------------------------------------- */

/* Working days a job fills, by the hours its crew has in a day. */
function lastDay(item, crew, start) {
    const capacity = Object.fromEntries((crew?.days || []).map((d) => [d.date, d.hours_available]));
    const usual = Math.max(1, ...Object.values(capacity));
    let left = item.duration_h ?? 1;
    let iso = start;
    for (let i = 0; i < 60; i++) {
        left -= capacity[iso] ?? usual;
        if (left <= 0.01) return iso;
        iso = f.addDays(iso, 1);
    }
    return iso;
}

/* Rows such that no two jobs of a row overlap: first fit by start. */
function pack(jobs) {
    const ends = [];
    for (const j of jobs) {
        let row = ends.findIndex((e) => e < j.start);
        if (row < 0) row = ends.length;
        ends[row] = j.end;
        j.row = row;
    }
    return ends.length;
}

function gantt(view, items) {
    const { from, n } = span(view.ctx.query);
    const dates = Array.from({ length: n }, (x, i) => f.addDays(from, i));
    const crews = [...(view.data.crews || [])];
    const known = new Set(crews.map((q) => q.name));
    if (items.some((i) => !known.has(i.crew))) crews.push({ name: null, skills: '', days: [] });
    const grid = h('div', { class: 'gantt' });
    if (n > 28) place(grid, { 'min-width': `${120 + n * 34}px` });
    grid.append(h('div', { class: 'corner' }), h('div', null, weeksRow(view, dates), daysRow(dates)));
    for (const crew of crews) {
        const jobs = items.filter((i) => (known.has(i.crew) ? i.crew : null) === crew.name
            && (i.due || i.date));
        crewRow(view, grid, crew, folded(jobs), dates);
    }
    if (!crews.length) return [empty(t('no_crews'))];
    const box = h('div', { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': t('gantt_label') },
        grid);
    return [box];
}

const pct = (x) => `${(100 * x).toFixed(3)}%`;

function weeksRow(view, dates) {
    const row = h('div', { class: 'weeks' });
    for (let i = 0; i < dates.length; i += 7) {
        const used = { h: 0, a: 0 };
        for (const crew of view.data.crews || []) {
            for (const d of crew.days || []) {
                if (d.date >= dates[i] && d.date <= dates[i + 6]) {
                    used.h += d.hours_used || 0;
                    used.a += d.hours_available || 0;
                }
            }
        }
        const name = t('week_n', { week: f.isoWeek(dates[i]) });
        const label = [name, f.daySpan(dates[i], dates[i + 6]),
            used.a ? f.percent(used.h / used.a) : null].filter(Boolean).join(' · ');
        row.append(place(h('span', { title: label }, label), { left: pct(i / dates.length),
            width: pct(7 / dates.length) }));
    }
    return row;
}

function daysRow(dates) {
    const today = f.isoDay(f.siteNow());
    const letters = new Intl.DateTimeFormat(document.documentElement.lang, { weekday: 'narrow',
        timeZone: 'UTC' });
    return h('div', { class: 'days' }, dates.map((d, i) => place(h('span', { title: f.day(d),
        class: `${f.weekday(d) > 4 ? 'off' : ''} ${d === today ? 'today' : ''}` },
    `${letters.format(new Date(`${d}T12:00Z`))} ${Number(d.slice(8))}`), { left: pct(i / dates.length),
        width: pct(1 / dates.length) })));
}

function stopsOf(view) {
    return (view.data.stops || []).map((s) => ({ from: f.isoDay(s.from), to: f.isoDay(new Date(
        new Date(s.to).getTime() - 1)), note: s.note || t('stop') }));
}

function crewRow(view, grid, crew, jobs, dates) {
    const n = dates.length;
    const lane = h('div', { class: 'lane-row' });
    const stops = stopsOf(view);
    dates.forEach((d, i) => {
        const isStop = stops.some((s) => d >= s.from && d <= s.to);
        const cls = [f.weekday(d) > 4 ? 'off' : '', isStop ? 'stop' : '', f.weekday(d) === 0 && i
            ? 'mon' : ''].join(' ');
        lane.append(place(h('div', { class: `col ${cls}` }), { left: pct(i / n), width: pct(1 / n) }));
    });
    const isFirst = grid.childElementCount === 2;
    if (isFirst) {
        for (const stop of stops) {
            const i = dates.findIndex((d) => d >= stop.from);
            if (i < 0 || dates[i] > stop.to) continue;
            const len = Math.max(1, dates.filter((d) => d >= stop.from && d <= stop.to).length);
            lane.append(place(h('span', { class: 'stop-name', title: stop.note }, stop.note.length
                * 6 < 40 * len ? stop.note : t('stop')), { left: pct(i / n), width: pct(len / n) }));
        }
    }
    const placed = jobs.map((item) => {
        const start = place0(item);
        const end = item.many ? start : lastDay(item, crew, start);
        return { item, start, end };
    }).filter((j) => j.end >= dates[0] && j.start <= dates[n - 1])
        .sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : (b.end < a.end ? -1 : 1)));
    const rows = Math.max(1, pack(placed));
    const top = isFirst && stops.length ? 14 : 6;
    const hasLoad = (crew.days || []).length > 0;
    const height = top + rows * JOB + (hasLoad ? LOAD : 0);
    place(lane, { height: `${height}px` });
    for (const j of placed) lane.append(jobBar(view, j, dates, top));
    loadRow(lane, crew, dates, top);
    const most = Math.max(0, ...(crew.days || []).map((d) => d.hours_available || 0));
    const skills = Array.isArray(crew.skills) ? crew.skills.join(', ') : crew.skills;
    grid.append(h('div', { class: 'crew' }, h('b', null, crew.name || t('no_crew')),
        skills ? h('span', { class: 'small muted' }, skills.replaceAll(',', ', ').replaceAll(',  ',
            ', ')) : null,
        hasLoad ? h('span', { class: 'small muted hours' }, t('hours_of', { h: f.estimate(most) }))
            : null), lane);
}

function loadRow(lane, crew, dates, top) {
    const most = Math.max(1, ...(crew.days || []).map((d) => d.hours_available || 0));
    const full = LOAD - 6;
    const n = dates.length;
    let away = null;
    (crew.days || []).forEach((d) => {
        const i = dates.indexOf(d.date);
        if (i < 0) return;
        if (d.note) {
            if (away && away.end === i - 1 && away.note === d.note) {
                away.end = i;
                place(away.el, { width: pct((i - away.start + 1) / n) });
            } else {
                const el = h('div', { class: 'away hatch', title: word('note', d.note) },
                    word('note', d.note));
                away = { el, start: i, end: i, note: d.note };
                lane.append(place(el, { left: pct(i / n), width: pct(1 / n), top: `${top}px`,
                    bottom: `${LOAD}px` }));
            }
        }
        if (!d.hours_used) return;
        const isOver = d.hours_used > (d.hours_available || 0) + 0.01;
        lane.append(place(h('div', { class: `load ${isOver ? 'over' : ''}`, title: t('hours_title', {
            day: f.day(d.date), used: f.estimate(d.hours_used), of: f.estimate(d.hours_available) }) },
        h('span', null, f.estimate(d.hours_used, 2))), { left: `calc(${pct(i / n)} + 5px)`,
            width: `calc(${pct(1 / n)} - 9px)`, height: `${Math.max(1, Math.min(full + 4,
                (d.hours_used / most) * full)).toFixed(1)}px` }));
    });
    if ((crew.days || []).length) lane.append(place(h('div', { class: 'cap' }), { bottom: `${full}px` }));
}

const place0 = (item) => f.isoDay(item.scheduled || item.due || item.date);

/* "Inspection round" of "Inspection round, C-1104": what many assets get on one day. */
const workOf = (item) => (item.title || '').replace(item.asset, '').replace(/\s+(on|of|at|for)\s*$/i, '')
    .replace(/^[\s:,·-]+|[\s:,·-]+$/g, '') || item.component || '';

/* Three or more jobs of one kind, work, crew and day stand as one: {…first, many: [jobs]}. */
function folded(items) {
    const groups = new Map();
    for (const i of items) {
        const key = [i.crew, i.kind, workOf(i), i.scheduled || i.due ? place0(i) : ''].join('|');
        if (!groups.has(key)) groups.set(key, []);
        groups.get(key).push(i);
    }
    return [...groups.values()].flatMap((g) => (g.length < FOLD ? g : [{ ...g[0], many: g,
        pinned: false, duration_h: g.reduce((a, i) => a + (i.duration_h || 0), 0) }]));
}

function openMany(item) {
    const rows = item.many.map((i) => h('tr', null, h('td', null, h('a', { class: 'tag',
        href: `/asset/${seg(i.asset)}` }, i.asset)), h('td', null, i.work_order ? h('a', {
        href: `/work-orders/${seg(i.work_order)}` }, i.work_order) : i.key), h('td', null, i.title),
    h('td', { class: 'num' }, `${f.estimate(i.duration_h)}${f.NB}h`)));
    const shown = h('div', { class: 'scroll' }, h('table', { class: 'tight' }, h('tbody', null, rows)));
    shown.addEventListener('click', (e) => {
        if (e.target.closest('a')) shown.closest('dialog').close();
    });
    return dialog(`${jobLabel(item)} · ${f.day(place0(item))}`, shown);
}

/* "P-2107 bearing": the tag, and as much of the work as fits. */
function jobLabel(item) {
    if (item.many) return `${workOf(item)} ×${item.many.length}`;
    return [item.asset, workOf(item)].filter(Boolean).join(' ');
}

function jobBar(view, j, dates, top) {
    const { item } = j;
    const n = dates.length;
    const a = Math.max(0, f.dayDiff(dates[0], j.start));
    const b = Math.min(n - 1, f.dayDiff(dates[0], j.end));
    const label = jobLabel(item);
    const bar = h('button', { type: 'button', class: `job ${item.kind}`, 'aria-expanded': 'false',
        title: `${label} · ${f.day(j.start)} · ${f.estimate(item.duration_h)} h`,
        'aria-label': `${word('kind', item.kind)}: ${label}, ${f.day(j.start)}`,
        on: { click: () => (item.many ? openMany(item) : openCard(view, bar, j, dates)) } },
    item.pinned ? glyph('pin', 10) : null, label);
    return place(bar, { left: `calc(${pct(a / n)} + 1px)`, width: `calc(${pct((b - a + 1) / n)} - 2px)`,
        top: `${top + j.row * JOB}px` });
}

/* --- the card of a job ---------------------------------------------------------------------- */

function closeCard(view, focus) {
    view.card?.remove();
    view.bracket?.remove();
    if (view.cardBar) {
        view.cardBar.setAttribute('aria-expanded', 'false');
        if (focus) view.cardBar.focus();
    }
    view.card = view.bracket = view.cardBar = null;
}

function openCard(view, bar, j, dates) {
    const isSame = view.cardBar === bar;
    closeCard(view, isSame);
    if (isSame) return;
    const { item } = j;
    bar.setAttribute('aria-expanded', 'true');
    view.cardBar = bar;
    const card = h('div', { class: 'card', role: 'dialog', 'aria-label': jobLabel(item), tabindex: -1,
        on: { keydown: (e) => {
            if (e.key === 'Escape') closeCard(view, true);
        } } },
    h('button', { class: 'btn plain close', type: 'button', 'aria-label': t('close'),
        on: { click: () => closeCard(view, true) } }, '✕'),
    h('h3', null, h('a', { href: `/asset/${seg(item.asset)}` }, item.asset), ' ',
        jobLabel(item).replace(item.asset, '').trim(), ' ', h('span', { class: 'muted' },
            `${f.estimate(item.duration_h)} h${item.crew ? `, ${item.crew}` : ''}`)),
    h('dl', { class: 'kv' },
        [[t('col_day'), f.day(j.start)], [t('col_kind'), word('kind', item.kind)],
            item.status ? [t('col_status'), word('status', item.status)] : null,
            item.earliest || item.latest ? [t('due_window'), `${f.day(item.earliest)} \u2013 ${f.day(
                item.latest)}`] : null,
            item.risk_by_due !== null && item.risk_by_due !== undefined ? [t('risk_then'), f.percent(
                item.risk_by_due, 1)] : null,
            item.expected_cost !== null && item.expected_cost !== undefined ? [t('expected_cost'),
                f.money(item.expected_cost)] : null,
            item.waiting_per_day ? [t('waiting_day'), f.money(item.waiting_per_day)] : null,
            item.reason ? [t('col_why'), f.words(item.reason)] : null,
            item.moves ? [t('moves'), item.moves] : null].filter(Boolean).map(([k, v]) => [h('dt', null,
            k), h('dd', null, v)])),
    cardButtons(view, item, j));
    view.card = card;
    view.box.append(card);
    view.box.style.position = 'relative';
    const at = bar.getBoundingClientRect();
    const box = view.box.getBoundingClientRect();
    const left = Math.max(8, Math.min(box.width - 348, at.left - box.left));
    place(card, { left: `${left}px`, top: `${at.bottom - box.top + 8}px` });
    drawBracket(view, bar, item, dates);
    card.querySelector('h3 a').focus({ preventScroll: true });
    card.scrollIntoView({ block: 'nearest' });
}

function drawBracket(view, bar, item, dates) {
    if (!item.earliest || !item.latest || !bar.closest('.lane-row')) return;
    const n = dates.length;
    const a = Math.max(0, f.dayDiff(dates[0], f.isoDay(item.earliest)));
    const b = Math.min(n - 1, f.dayDiff(dates[0], f.isoDay(item.latest)));
    if (b < a) return;
    view.bracket = place(h('div', { class: 'bracket', 'aria-hidden': 'true' }), { left: pct(a / n),
        width: pct((b - a + 1) / n), top: `${parseFloat(bar.style.top) + 23}px` });
    bar.parentElement.append(view.bracket);
}

function cardButtons(view, item, j) {
    const key = item.work_order || (String(item.key || '').startsWith('WO') ? item.key : null);
    if (!key) return h('p', { class: 'small muted' }, t('no_wo_yet'));
    return h('div', { class: 'actions' },
        h('a', { class: 'btn', href: `/work-orders/${seg(key)}` }, key),
        h('button', { class: 'btn', type: 'button', on: { click: () => patch(view, key,
            { pinned: !item.pinned }, { pinned: !!item.pinned }, t(item.pinned ? 'was_unpinned'
                : 'was_pinned', { key })) } }, glyph('pin', 11), t(item.pinned ? 'unpin' : 'pin')),
        h('button', { class: 'btn', type: 'button', on: { click: () => moveTo(view, item, j, key) } },
            t('move_to')),
        item.status === 'draft' ? h('button', { class: 'btn main', type: 'button', on: { click: () =>
            patch(view, key, { status: 'approved' }, { status: 'draft' }, t('was_approved', { key })) } },
        t('approve_short')) : null);
}

async function patch(view, key, change, back, text) {
    const path = `/work-orders/${seg(key)}`;
    const apply = async (body) => {
        const now = await getTagged(path);
        return send('PATCH', path, body, { etag: now.etag });
    };
    try {
        if (!await withKey(() => apply(change))) return;
        closeCard(view, false);
        done(view.doneBox, text, async () => {
            await apply(back);
            await load(view);
        });
        await load(view);
    } catch (e) {
        clear(view.doneBox, h('div', { class: 'panel' }, h('div', { class: 'failed', role: 'alert' },
            h('h3', null, t('could_not_save')), h('p', null, errorText(e)))));
    }
}

async function moveTo(view, item, j, key) {
    const input = h('input', { type: 'date', id: 'move-to', value: j.start, required: true });
    let chosen = null;
    const form = h('form', { method: 'dialog', on: { submit: () => { chosen = input.value; } } },
        h('div', { class: 'field' }, h('label', { for: 'move-to' }, t('move_day')), input),
        item.earliest ? h('p', { class: 'small' }, t('due_window'), ': ', f.day(item.earliest), ' \u2013 ',
            f.day(item.latest)) : null,
        h('p', { class: 'small' }, t('move_pins')),
        h('div', { class: 'bar' }, h('button', { class: 'btn main', type: 'submit' }, t('move_short'))));
    await dialog(t('move_title', { key }), form, { bar: [] });
    if (!chosen || chosen === j.start) return;
    await patch(view, key, { scheduled: `${chosen}T08:00:00Z`, pinned: true },
        { scheduled: item.scheduled || item.due || null, pinned: !!item.pinned },
        t('was_moved', { key, day: f.day(chosen) }));
}

/* --- month and list ------------------------------------------------------------------------- */

function calendar(view, items) {
    const { from, n } = span(view.ctx.query);
    const stops = stopsOf(view);
    const today = f.isoDay(f.siteNow());
    const dates = Array.from({ length: n }, (x, i) => f.addDays(from, i));
    const names = new Intl.DateTimeFormat(document.documentElement.lang, { weekday: 'long',
        timeZone: 'UTC' });
    const cells = dates.map((d) => {
        const stop = stops.find((s) => d >= s.from && d <= s.to);
        const mine = items.filter((i) => (i.scheduled || i.due) && f.isoDay(i.scheduled || i.due) === d);
        return h('div', { class: `cell ${f.weekday(d) > 4 ? 'off' : ''} ${stop ? 'stop' : ''} ${d === today
            ? 'today' : ''}` }, h('div', { class: 'date' }, h('span', null, d === from || d.endsWith('-01')
            ? f.dayShort(d) : String(Number(d.slice(8)))), stop ? h('span', null, stop.note) : null),
        folded(mine).map((item) => {
            const j = { item, start: d, end: d };
            const bar = h('button', { type: 'button', class: `job ${item.kind}`, title: jobLabel(item),
                'aria-expanded': 'false', on: { click: () => (item.many ? openMany(item)
                    : openCard(view, bar, j, dates)) } },
            item.pinned ? glyph('pin', 10) : null, jobLabel(item));
            return bar;
        }));
    });
    return [h('div', { class: 'scroll', tabindex: 0 }, h('div', { class: 'month' }, dates.slice(0, 7).map(
        (d) => h('div', { class: 'dow' }, names.format(new Date(`${d}T12:00Z`)))), cells))];
}

function list(view, items) {
    if (!items.length) return [empty(t('no_jobs'))];
    const heads = [['col_day'], ['col_asset'], ['col_work'], ['col_kind'], ['col_status'], ['col_crew'],
        ['col_hours', 1], ['due_window'], ['col_risk', 1], ['col_cost', 1], ['col_why']];
    return [h('div', { class: 'scroll', tabindex: 0 }, h('table', null, h('thead', null, h('tr', null,
        heads.map(([k, isNum]) => h('th', { scope: 'col', class: isNum ? 'num' : null }, t(k,
            { unit: f.currency() }))))), h('tbody', null, [...items].sort((a, b) => (a.scheduled || a.due
        || '') < (b.scheduled || b.due || '') ? -1 : 1).map((i) => {
        const key = i.work_order || (String(i.key || '').startsWith('WO') ? i.key : null);
        return h('tr', { 'data-href': key ? `/work-orders/${seg(key)}` : `/asset/${seg(i.asset)}` },
            h('td', { class: 'nowrap' }, f.day(i.scheduled || i.due)), h('td', null, h('a', { class: 'tag',
                href: `/asset/${seg(i.asset)}` }, i.asset)), h('td', null, i.title || i.component || ''),
            h('td', null, word('kind', i.kind)), h('td', { class: 'nowrap' }, [i.pinned ? '⌖ ' : '',
                word('status', i.status)]), h('td', null, i.crew || '\u2014'),
            h('td', { class: 'num' }, f.estimate(i.duration_h)), h('td', { class: 'nowrap second' },
                i.earliest || i.latest ? `${f.dayShort(i.earliest)}\u2013${f.dayShort(i.latest)}` : '\u2014'),
            h('td', { class: 'num' }, f.percent(i.risk_by_due, 1)), h('td', { class: 'num' }, f.amount(
                i.expected_cost)), h('td', { class: 'small' }, i.reason ? f.words(i.reason) : ''));
    }))))];
}

/* --- below ---------------------------------------------------------------------------------- */

function changes(d) {
    const rows = d.changes || [];
    const dated = (v) => (v ? f.day(v) : '\u2014');
    return panel({ title: t('plan_changes'), note: t('expected_cost_unit', { unit: f.currency() }),
        body: rows.length ? h('div', { class: 'scroll' }, h('table', null, h('thead', null, h('tr', null,
            ['col_change', 'col_job', 'col_from', 'col_to', 'col_why', 'col_effect'].map((k, i) => h('th',
                { scope: 'col', class: i === 5 ? 'num' : null }, t(k))))), h('tbody', null, rows.map((r) =>
            h('tr', null, h('td', null, word('change', r.change)), h('td', null, h('b', null, r.title)),
                h('td', { class: 'nowrap' }, dated(r.from)), h('td', { class: 'nowrap' }, dated(r.to)),
                h('td', { class: 'small' }, r.why || ''), h('td', { class: 'num' }, h('b', null, f.change(
                    r.effect)))))))) : empty(t('no_plan_changes')) });
}

function drops(d) {
    const rows = d.drop || [];
    const total = rows.reduce((a, r) => a + (r.saving_per_year || 0), 0);
    return panel({ title: t('plan_drop'), note: rows.length ? t('could_stop', { v: f.money(total) }) : null,
        body: rows.length ? h('div', { class: 'scroll' }, h('table', null, h('thead', null, h('tr', null,
            h('th', { scope: 'col' }, t('col_plan')), h('th', { scope: 'col', class: 'num' },
                t('col_every')), h('th', { scope: 'col' }, t('col_why_drop')), h('th', { scope: 'col',
                class: 'num' }, t('col_per_year', { unit: f.currency() })))), h('tbody', null, rows.map(
            (r) => h('tr', null, h('td', null, h('b', null, r.plan)), h('td', { class: 'num' }, f.duration(
                r.every_s)), h('td', { class: 'small' }, r.why), h('td', { class: 'num' }, h('b', null,
                f.amount(r.saving_per_year)))))))) : empty(t('no_drop')) });
}

/* The same address that a spreadsheet uses, with the key of this tab when there is one. */
async function saveCsv(view) {
    const { from, to } = span(view.ctx.query);
    const response = await fetch(url('/schedule', { from, to }), { headers: { Accept: 'text/csv',
        ...(apiKey() ? { Authorization: `Bearer ${apiKey()}` } : {}) } });
    if (!response.ok) {
        done(view.doneBox, t('could_not_save'));
        return;
    }
    const href = URL.createObjectURL(await response.blob());
    const a = h('a', { href, download: 'plan.csv' });
    document.body.append(a);
    a.click();
    a.remove();
    setTimeout(() => URL.revokeObjectURL(href), 1000);
}
