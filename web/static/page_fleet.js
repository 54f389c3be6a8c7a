/* Fleet: where is the next money being lost? Every asset ranked by money at risk. All assets come
 * once; filters and sorting are then done here on the server's figures, and stand in the URL. */

import { h, clear } from './dom.js';
import { t, word } from './messages.js';
import { get, getAll, url } from './api.js';
import * as f from './format.js';
import * as c from './charts.js';
import { glyph, stateBadge, workGlyph, workLegend } from './glyphs.js';
import { head, setAnswer, panel, strip, segmented, menu, into, empty, figure, failed } from './ui.js';

const STATES = ['act', 'soon', 'watch', 'normal', 'no_data'];
const WINDOWS = ['7d', '30d', '90d'];
const ROW = 43;      /* px, as in style.css */
const DRAWN = 64;    /* rows kept in the page at once when there are more */
const RANK = Object.fromEntries(STATES.map((s, i) => [s, i]));

const SORTS = {
    money: (a) => a.money_at_risk?.value ?? -1,
    p: (a) => a.p?.value ?? -1,
    rul: (a) => -(a.rul?.median_s ?? Infinity),
    waiting: (a) => a.waiting_per_day ?? -1,
    state: (a) => -RANK[a.state],
    asset: null,
};

function days(query) {
    const w = WINDOWS.includes(query.get('window')) ? query.get('window') : '30d';
    return { text: w, n: parseInt(w, 10) };
}

export async function show(ctx) {
    ctx.title(t('nav_fleet'));
    const view = { ctx, data: null, kpi: null, from: 0, rowsAll: [], showAll: false };
    view.actions = h('div', { class: 'actions' });
    view.headBox = h('div');
    view.stripBox = h('div');
    view.tableBox = h('div', { class: 'panel long' });
    view.side = h('div', { class: 'stack' });
    ctx.root.append(view.headBox, view.stripBox, h('div', { class: 'cols fleet-cols' },
        view.tableBox, view.side));
    drawHead(view);
    clear(view.stripBox, placeholderStrip());
    const onScroll = () => drawWindow(view, false);
    addEventListener('scroll', onScroll, { passive: true });
    load(view);
    return {
        update: (next) => {
            const before = days(view.ctx.query).text;
            view.ctx = next;
            drawHead(view);
            if (days(next.query).text !== before) return load(view);
            drawTable(view);
            return drawSide(view);
        },
        end: () => removeEventListener('scroll', onScroll),
        keys: {
            '[': () => shift(view, -1),
            ']': () => shift(view, 1),
            f: () => view.tableBox.querySelector('summary')?.focus(),
            s: () => view.tableBox.querySelector('th[aria-sort] button')?.focus(),
            x: () => view.ctx.go('/fleet'),
        },
    };
}

function shift(view, by) {
    const i = WINDOWS.indexOf(days(view.ctx.query).text) + by;
    if (WINDOWS[i]) view.ctx.go(view.ctx.href({ window: WINDOWS[i] }));
}

function placeholderStrip() {
    return strip(['kpi_risk', 'kpi_cases', 'kpi_load', 'kpi_saved', 'kpi_data'].map((k) => ({
        label: t(`${k}_label`, { n: 30 }), big: '\u00a0', under: '' })));
}

async function load(view) {
    const { signal, query } = view.ctx;
    const window = days(query).text;
    const list = into(view.tableBox, { rows: 12, what: t('nav_fleet'), make: async () => {
        view.data = await getAll('/assets', { expand: 'forecast,case,next_work',
            sort: '-money_at_risk', window, limit: 1000 }, { signal });
        drawHead(view);
        drawTable(view);
    } });
    const kpi = get('/kpi', { period: 'now', window }, { signal }).then((k) => {
        view.kpi = k;
        view.ctx.badge('inbox', k.cases?.undecided);
        clear(view.stripBox, kpiStrip(view));
        drawSide(view);
    }).catch((e) => {
        if (e.name !== 'AbortError') {
            clear(view.stripBox, h('div', { class: 'panel strip' }, failed(t('key_figures'), e,
                () => load(view))));
        }
    });
    await Promise.all([list, kpi]);
}

function drawHead(view) {
    const now = days(view.ctx.query);
    clear(view.headBox, head({ title: t('nav_fleet'), actions: [
        segmented(t('window_label'), WINDOWS.map((w) => ({ label: t('n_days_short',
            { n: parseInt(w, 10) }), href: view.ctx.href({ window: w === '30d' ? null : w }),
        on: w === now.text }))),
        h('a', { class: 'btn', href: '#', role: 'button', on: { click: (e) => {
            e.preventDefault();
            saveCsv(view);
        } } }, 'CSV')] }));
    if (view.data) setAnswer(view.headBox.querySelector('.answer'), view.data.answer);
}

/* --- key figures ---------------------------------------------------------------------------- */

function kpiStrip(view) {
    const k = view.kpi;
    const n = days(view.ctx.query).n;
    const call = url('/kpi', { period: 'now', window: days(view.ctx.query).text });
    const risk = k.money_at_risk || {};
    const load = k.crew_load || {};
    const saved = k.net_saved || {};
    const data = k.data || {};
    const cases = k.cases || {};
    const full = (load.weeks || []).reduce((a, w) => (!a || w.frac > a.frac ? w : a), null);
    return strip([
        { label: t('kpi_risk_label', { n }),
            big: figure(f.money(risk.value, 4), () => ({ title: t('kpi_risk_label', { n }),
                formula: t('formula_risk'), call, inputs: [[t('value'), f.money(risk.value, 4)],
                    [t('interval_80'), f.range(risk.low, risk.high, (v) => f.money(v))],
                    [t('since_yesterday'), f.change(risk.change)]] })),
            rest: risk.low !== null && risk.low !== undefined ? shortRange(risk.low, risk.high)
                : null,
            under: [risk.change !== null && risk.change !== undefined ? t('kpi_risk_change',
                { v: f.change(risk.change) }) : null, t('interval_80')].filter(Boolean).join(' · '),
            aside: (risk.history || []).length > 2 ? c.sparkline(risk.history) : null },
        { label: t('kpi_cases_label'), big: f.count(cases.open),
            rest: ['act', 'soon', 'watch'].map((s) => h('span', { class: 'st',
                title: word('state', s) }, glyph(s, 10), h('span', { class: 'vh' },
                word('state', s)), f.count(cases[s]))),
            under: t('kpi_cases_wait', { n: cases.undecided ?? 0 }) },
        { label: t('kpi_load_label'), big: f.percent(load.frac),
            rest: t('of_hours', { h: f.count(load.hours_available) }),
            under: full && full.frac > 0 ? t(full.frac > 0.95 ? 'kpi_load_full' : 'kpi_load_most', { week: full.week,
                p: f.percent(full.frac) }) : '',
            aside: full && full.frac > 0 ? c.loadBars(load.weeks.slice(0, 4)) : null },
        { label: t('kpi_saved_label'), big: saved.value === null || saved.value === undefined
            ? h('span', { class: 'muted' }, t('not_yet')) : f.money(saved.value),
        rest: saved.value === null || saved.value === undefined ? '' : t('audited'), under: saved.due ? t('kpi_saved_under', { right: f.count(saved.right),
            n: saved.due, missed: f.count(saved.missed) }) : saved.note || t('kpi_saved_none') },
        { label: t('kpi_data_label'), big: f.count(data.complete),
            rest: t('of_assets_complete', { n: data.total ?? 0 }),
            under: data.note || t('kpi_data_stale', { n: data.stale_sensors ?? 0 }) },
    ]);
}

function shortRange(low, high) {
    const scale = f.scaleOf(high);
    const unit = scale[1] ? f.NB + scale[1] : '';
    return `${f.scaled(low, [scale[0], ''])}\u2013${f.scaled(high, [scale[0], ''])}${unit}`;
}

/* --- table ---------------------------------------------------------------------------------- */

function filters(query) {
    const set = (name) => new Set((query.get(name) || '').split(',').filter(Boolean));
    return { area: query.get('area') || '', cls: set('class'), state: set('state'),
        sort: query.get('sort') || '-money', all: query.get('all') === '1' };
}

const inArea = (area, wanted) => area === wanted || (area || '').startsWith(`${wanted}/`);

function visible(view) {
    const q = filters(view.ctx.query);
    const all = view.data.items;
    const isFiltered = q.area || q.cls.size || q.state.size;
    let rows = all.filter((a) => (!q.area || inArea(a.area, q.area))
        && (!q.cls.size || q.cls.has(a.class)) && (!q.state.size || q.state.has(a.state)));
    const key = q.sort.replace(/^-/, '');
    const down = q.sort.startsWith('-') ? 1 : -1;
    if (key === 'asset') {
        const order = new Intl.Collator(undefined, { numeric: true });
        rows = [...rows].sort((a, b) => -down * order.compare(a.key, b.key));
    } else if (SORTS[key] && q.sort !== '-money') {
        rows = [...rows].sort((a, b) => down * (SORTS[key](b) - SORTS[key](a)));
    }
    let hidden = null;
    const tail = view.data.tail;
    if (!isFiltered && !q.all && q.sort === '-money' && tail && tail.count > 0
        && tail.count < rows.length) {
        hidden = { count: tail.count, money: tail.money_at_risk };
        rows = rows.slice(0, rows.length - tail.count);
    }
    return { rows, hidden, total: view.data.total ?? all.length };
}

function toggled(set, value) {
    const next = new Set(set);
    if (next.has(value)) next.delete(value);
    else next.add(value);
    return [...next].join(',');
}

function checks(view, name, values, chosen, text) {
    return values.map((v) => {
        const box = h('input', { type: 'checkbox', on: { change: () => view.ctx.go(view.ctx.href({
            [name]: toggled(chosen, v) }), { replace: true }) } });
        box.checked = chosen.has(v);
        return h('label', null, box, text(v));
    });
}

function chips(view) {
    const q = filters(view.ctx.query);
    const areas = [...new Set(view.data.items.map((a) => a.area).filter(Boolean))].sort();
    const classes = [...new Set(view.data.items.map((a) => a.class).filter(Boolean))].sort();
    const item = (label, value) => h('a', { class: 'item', href: view.ctx.href({ area: value }),
        'aria-current': q.area === (value || '') ? 'true' : null }, label);
    return h('div', { class: 'chips' },
        areas.length ? menu({ label: q.area ? q.area.split('/').pop() : t('all_areas'),
            isSet: q.area, body: [item(t('all_areas'), null), areas.map((a) => item(
                a.replaceAll('/', ' › '), a))] }) : null,
        menu({ label: q.cls.size ? [...q.cls].join(', ') : t('all_classes'), isSet: q.cls.size,
            body: checks(view, 'class', classes, q.cls, (v) => v) }),
        menu({ label: q.state.size ? STATES.filter((s) => q.state.has(s)).map((s) => word('state',
            s)).join(', ') : t('all_states'), isSet: q.state.size,
        body: checks(view, 'state', STATES, q.state, (v) => [glyph(v), word('state', v)]) }),
        q.area || q.cls.size || q.state.size ? h('a', { class: 'btn plain', href: view.ctx.href({
            area: null, class: null, state: null }) }, t('clear_filters')) : null);
}

function cycles(view) {
    const rows = view.data.items.filter((a) => has(a.rul?.low_s) || has(a.rul?.median_s));
    return rows.length > 0 && rows.every((a) => a.rul.cycle_s);
}

const has = (v) => v !== null && v !== undefined;
const lifeUnit = (a, isCycles) => (isCycles ? a.rul.cycle_s : 86400);

/* End of the shared axis of remaining life: 180 days, or what the shown rows need. */
function lifeAxis(rows, isCycles) {
    const most = rows.slice(0, 60).map((a) => (a.rul?.median_s ?? 0)
        / (a.rul?.median_s ? lifeUnit(a, isCycles) : 1)).filter((v) => v > 0).sort((a, b) => a - b);
    const typical = most.length ? most[Math.floor(most.length * 0.7)] : 0;
    if (!most.length) return 180;
    return [30, 60, 90, 180, 360, 720, 1800].find((v) => v >= typical * 1.2) || 180;
}

function tableHead(view, q, isCycles, axis) {
    const sorted = (key, label, cls, first = '-') => {
        const isOn = q.sort.replace(/^-/, '') === key;
        const down = q.sort.startsWith('-');
        return h('th', { scope: 'col', class: cls, 'aria-sort': isOn ? (down ? 'descending'
            : 'ascending') : null },
        h('button', { type: 'button', on: { click: () => view.ctx.go(view.ctx.href({
            sort: isOn ? (down ? key : `-${key}`) : `${first}${key}`, all: null })) } },
        label, isOn ? `${f.NB}${down ? '▼' : '▲'}` : ''));
    };
    const { n } = days(view.ctx.query);
    return h('thead', null, h('tr', null,
        h('th', { scope: 'col', class: 'c-n' }, '#'),
        sorted('state', t('col_state'), 'c-state'),
        sorted('asset', t('col_asset'), 'c-asset', ''),
        sorted('money', t('col_money', { unit: f.currency() }), 'c-money'),
        sorted('p', t('col_fails', { n }), 'c-p'),
        h('th', { scope: 'col', class: 'c-rul', 'aria-sort': q.sort.endsWith('rul')
            ? (q.sort === 'rul' ? 'descending' : 'ascending') : null }, h('button', { type: 'button', on: { click: () => view.ctx.go(
            view.ctx.href({ sort: q.sort === '-rul' ? 'rul' : '-rul', all: null })) } },
        t(isCycles ? 'col_life_cycles' : 'col_life'), h('span', { class: 'muted' }, ' 80 %')), h('span', { class: 'rul-cell' },
            h('span', { class: 'v' }), c.rangeAxis(axis))),
        h('th', { scope: 'col', class: 'c-why' }, t('col_why')),
        sorted('waiting', t('col_waiting', { unit: f.currency() }), 'c-wait'),
        h('th', { scope: 'col', class: 'c-next' }, t('col_next'))));
}

function drawTable(view) {
    if (!view.data) return;
    const q = filters(view.ctx.query);
    if (!view.data.items.length) {
        clear(view.tableBox, empty(t('empty_fleet'), h('a', { class: 'btn main',
            href: '/openapi.json', target: '_blank', rel: 'noopener' }, t('empty_fleet_button'))));
        return;
    }
    const { rows, hidden, total } = visible(view);
    const isCycles = cycles(view);
    view.rowsAll = rows;
    view.isCycles = isCycles;
    view.axis = lifeAxis(rows, isCycles);
    view.max = Math.max(...view.data.items.map((a) => a.money_at_risk?.high
        ?? a.money_at_risk?.value ?? 0), 1);
    view.from = -1;
    view.body = h('tbody');
    const note = hidden ? t('n_of_total_tail', { shown: f.count(rows.length), total: f.count(total),
        n: hidden.count, rest: f.money(hidden.money) })
        : t('n_of_total', { shown: f.count(rows.length), total: f.count(total) });
    const keep = document.activeElement?.closest?.('.menu')?.querySelector('summary')?.textContent;
    const made = panel({ title: t('assets_by_money'), tools: chips(view), note,
        body: [h('div', { class: 'scroll' }, h('table', { class: 'fleet',
            'aria-rowcount': rows.length + 1 }, tableHead(view, q, isCycles, view.axis), view.body,
        hidden ? h('tbody', null, h('tr', { class: 'more-row' }, h('td', { colspan: 9 },
            h('a', { href: view.ctx.href({ all: 1 }) }, t('show_tail', { n: hidden.count,
                rest: f.money(hidden.money) }))))) : null)),
        rows.length ? null : empty(t('no_rows'), h('a', { class: 'btn', href: '/fleet' },
            t('clear_filters')))],
        footer: [workLegend(), h('span', null, [view.data.scored_at ? t('scored_when', {
            time: f.dateTime(view.data.scored_at), by: view.data.scored_by || '' }) : null,
        view.data.coverage_note].filter(Boolean).join(' · '))] });
    clear(view.tableBox, [...made.childNodes]);
    drawWindow(view, true);
    if (keep) view.tableBox.querySelector('.menu summary')?.focus();
}

/* Draws the rows near the screen; the rest is space of the same height. */
function drawWindow(view, force) {
    const rows = view.rowsAll;
    if (!view.body) return;
    if (rows.length <= DRAWN || innerWidth <= 640) {
        if (force) clear(view.body, rows.map((a, i) => row(view, a, i)));
        return;
    }
    const top = view.body.getBoundingClientRect().top;
    const first = Math.max(0, Math.min(rows.length - DRAWN, Math.floor(-top / ROW) - 20));
    if (!force && Math.abs(first - view.from) < 10) return;
    view.from = first;
    const space = (n) => {
        const tr = h('tr', { class: 'spacer', 'aria-hidden': 'true' }, h('td', { colspan: 9 }));
        tr.firstChild.style.height = `${n * ROW}px`;
        return tr;
    };
    clear(view.body, first ? space(first) : null, rows.slice(first, first + DRAWN).map((a, i) => row(
        view, a, first + i)), first + DRAWN < rows.length ? space(rows.length - first - DRAWN) : null);
}

function moneyCell(view, a) {
    const m = a.money_at_risk;
    if (!has(m?.value)) return '\u2014';
    const { n, text } = days(view.ctx.query);
    return h('div', { class: 'money-cell' }, h('span', { class: 'v' }, figure(f.amount(m.value),
        () => ({ title: t('money_of', { asset: a.key }), formula: t('formula_risk'),
            inputs: [[t('value'), f.money(m.value)], [t('interval_80'), f.range(m.low, m.high,
                (v) => f.money(v))], [t('col_fails', { n }), `${f.percent(a.p?.value, 1)} (${f.range(
                a.p?.low, a.p?.high, (v) => f.percent(v, 1))})`],
            a.p?.value ? [t('failure_costs_beyond'), f.money(m.value / a.p.value)] : null,
            [t('data_share'), f.percent(a.data_frac)], [t('col_state'),
                `${word('state', a.state)}: ${a.state_rule || ''}`]],
            call: url(`/assets/${encodeURIComponent(a.key)}`, { window: text }) }))),
    c.moneyBar(m, view.max));
}

function lifeCell(view, a) {
    if (!has(a.rul?.median_s) && !has(a.rul?.low_s)) return h('span', { class: 'muted small' }, t('no_forecast'));
    const unit = lifeUnit(a, view.isCycles);
    const scale = (v) => (v === null || v === undefined ? null : v / unit);
    const median = scale(a.rul.median_s);
    const label = median === null ? '\u2014' : median > view.axis ? `>${f.count(view.axis)}`
        : f.count(median);
    return h('div', { class: 'rul-cell', title: t('life_title', { median: median === null
        ? t('open_end') : f.count(median), low: f.count(scale(a.rul.low_s)),
    high: a.rul.high_s === null ? t('open_end') : f.count(scale(a.rul.high_s)),
    p: f.percent(a.rul.coverage) }) }, h('span', { class: 'v' }, label),
    c.rangeStrip({ median, low: scale(a.rul.low_s), high: scale(a.rul.high_s) }, view.axis));
}

function nextCell(a) {
    const w = a.next_work;
    if (!w) {
        return a.state === 'normal' || a.state === 'no_data' ? h('span', { class: 'muted' }, '\u2014')
            : h('div', { class: 'next' }, glyph('none', 11), h('span', { class: 'two' },
                t('none_yet')));
    }
    return h('div', { class: 'next', title: `${w.key} ${w.title}` }, workGlyph(w),
        h('a', { class: 'two second', href: `/work-orders/${encodeURIComponent(w.key)}` },
            shortTitle(w.title, a.key)),
        h('span', { class: 'small muted two' }, w.date ? f.day(w.date) : word('status', w.status)));
}

/* The asset's tag is in the row already. */
const shortTitle = (title, key) => title.replace(key, '').replace(/^[\s:,·-]+|[\s:,·-]+$/g, '')
    || title;

function row(view, a, i) {
    const href = `/asset/${encodeURIComponent(a.key)}`;
    const place = (a.area || '').split('/').pop();
    return h('tr', { 'data-href': href, 'aria-rowindex': i + 2 },
        h('td', { class: 'c-n' }, f.count(i + 1)),
        h('td', { class: 'c-state' }, stateBadge(a.state, a.state_rule)),
        h('td', { class: 'c-asset' }, h('a', { class: 'tag two', href, title: a.key }, a.key),
            h('span', { class: 'two', title: a.name || null }, [a.name || a.class, place]
                .filter(Boolean).join(' · '), a.data_frac !== null && a.data_frac !== undefined
                && a.data_frac < 0.9 ? [' · ', h('span', { class: 'warn' }, t('data_p',
                { p: f.percent(a.data_frac) }))] : null)),
        h('td', { class: 'c-money' }, moneyCell(view, a)),
        h('td', { class: 'c-p' }, f.percent(a.p?.value)),
        h('td', { class: 'c-rul' }, lifeCell(view, a)),
        h('td', { class: 'c-why' }, h('span', { class: 'clamp', title: a.why || null },
            a.why ? f.words(a.why) : '\u2014')),
        h('td', { class: 'c-wait' }, f.amount(a.waiting_per_day)),
        h('td', { class: 'c-next' }, nextCell(a)));
}

/* --- side ----------------------------------------------------------------------------------- */

function drawSide(view) {
    const k = view.kpi;
    if (!k) return;
    clear(view.side, areaPanel(view, k), changesPanel(k));
}

function areaPanel(view, k) {
    const areas = k.areas || [];
    if (!areas.length) return null;
    const q = filters(view.ctx.query);
    const leaf = areas.filter((a) => a.depth > 0);
    const max = Math.max(...(leaf.length ? leaf : areas).map((a) => a.money_at_risk ?? 0), 1);
    return panel({ title: t('by_area'), note: t('unit_change', { unit: f.currency() }),
        body: h('table', { class: 'tree' }, h('tbody', null, areas.map((a) => {
            const name = (a.area || '').split('/').pop() || t('no_area');
            return h('tr', { class: q.area === a.area ? 'on' : null },
                h('th', { scope: 'row', class: `d${Math.min(3, a.depth)}` }, h('button',
                    { type: 'button', 'aria-pressed': q.area === a.area ? 'true' : 'false',
                        on: { click: () => view.ctx.go(view.ctx.href({ area: q.area === a.area
                            ? null : a.area })) } }, name)),
                h('td', { class: 'num' }, h('b', null, f.amount(a.money_at_risk))),
                h('td', null, c.fractionBar((a.money_at_risk ?? 0) / max, a.depth === 0)),
                h('td', { class: 'num muted' }, f.change(a.change)));
        }))) });
}

function changesPanel(k) {
    const list = k.changes || [];
    return panel({ title: t('since_yesterday'), note: t('unit_at_risk', { unit: f.currency() }),
        body: list.length ? h('ul', { class: 'rows' }, list.map((x) => h('li', null, glyph(x.glyph,
            11), h('span', { class: 'text', title: x.text }, x.asset ? [h('a', { class: 'tag',
            href: `/asset/${encodeURIComponent(x.asset)}` }, x.asset), ' '] : null,
        f.words(stripName(x.text, x.asset))), h('span', { class: 'num' },
            x.money === null || x.money === undefined ? '' : f.change(x.money)))))
            : empty(t('no_changes')) });
}

const stripName = (text, name) => (name && text.startsWith(name) ? text.slice(name.length).trim()
    : text);

/* --- CSV ------------------------------------------------------------------------------------ */

function saveCsv(view) {
    if (!view.data) return;
    const cell = (v) => {
        const text = v === null || v === undefined ? '' : String(v);
        const safe = /^[=+@\t\r]/.test(text) || /^-[^\d.]/.test(text) ? `'${text}` : text;
        return /[",\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
    };
    const heads = ['asset', 'name', 'class', 'area', 'state', `money_at_risk_${f.currency()}`, 'low',
        'high', 'p', 'rul_median_s', 'why', 'waiting_per_day', 'next_work', 'next_work_date'];
    const lines = visible(view).rows.map((a) => [a.key, a.name, a.class, a.area, a.state,
        a.money_at_risk?.value, a.money_at_risk?.low, a.money_at_risk?.high, a.p?.value,
        a.rul?.median_s, a.why, a.waiting_per_day, a.next_work?.key, a.next_work?.date]);
    const text = [heads, ...lines].map((r) => r.map(cell).join(',')).join('\r\n') + '\r\n';
    const href = URL.createObjectURL(new Blob([text], { type: 'text/csv' }));
    const a = h('a', { href, download: 'fleet.csv' });
    document.body.append(a);
    a.click();
    a.remove();
    setTimeout(() => URL.revokeObjectURL(href), 1000);
}
