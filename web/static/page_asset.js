/* Asset: what is wrong with it, when must we act, and why should I believe it? */

import { h, clear } from './dom.js';
import { t, word } from './messages.js';
import { get, getTagged, send, seg, url } from './api.js';
import * as f from './format.js';
import * as c from './charts.js';
import { stateBadge, statusBadge } from './glyphs.js';
import { head, panel, segmented, menu, into, empty, explain, loading, withKey, done, errorText,
    dialog } from './ui.js';
import { sensorLanes } from './timeseries.js';

const SPANS = { '7d': 7, '30d': 30, '180d': 180, all: null };
const SHOWN = 3;      /* lanes, most telling first */

export async function show(ctx) {
    const view = { ctx, lanes: null };
    ctx.title(ctx.key);
    ctx.root.append(head({ title: ctx.key, crumbs: [h('a', { href: '/fleet' }, t('nav_fleet'))] }),
        h('div', { class: 'panel' }, loading(8, ctx.key)));
    const made = h('div');
    await into(made, { rows: 8, what: ctx.key, make: async () => {
        const path = `/assets/${seg(ctx.key)}`;
        const [asset, timeline] = await Promise.all([get(path, null, { signal: ctx.signal }),
            get(`${path}/timeline`, null, { signal: ctx.signal }).catch((e) => {
                if (e.name === 'AbortError') throw e;
                return { items: [] };
            })]);
        view.asset = asset;
        view.timeline = timeline.items || [];
        return page(view);
    } });
    clear(ctx.root, made);
    if (view.asset) drawLanes(view);
    return {
        update: (next) => {
            view.ctx = next;
            if (view.asset) drawLanes(view);
        },
        end: () => view.lanes?.end(),
        keys: {
            '[': () => shift(view, -1),
            ']': () => shift(view, 1),
            a: () => view.box.querySelector('[data-do=approve]')?.click(),
            r: () => view.box.querySelector('[data-do=reject]')?.click(),
            d: () => view.box.querySelector('[data-do=defer]')?.click(),
        },
    };
}

function shift(view, by) {
    const names = Object.keys(SPANS);
    const i = names.indexOf(span(view)) + by;
    if (names[i]) view.ctx.go(view.ctx.href({ range: names[i] }));
}

const span = (view) => (view.ctx.query.get('range') in SPANS ? view.ctx.query.get('range') : '180d');

function crumbs(a) {
    const parts = (a.area || '').split('/').filter(Boolean);
    const links = parts.map((p, i) => h('a', { href: `/fleet?area=${encodeURIComponent(
        parts.slice(0, i + 1).join('/'))}` }, p));
    links.push(h('a', { href: `/fleet?class=${encodeURIComponent(a.class)}` }, a.class));
    return links.flatMap((x, i) => (i ? [' › ', x] : [x]));
}

/* The draft that waits for a decision, if there is one. */
const draftOf = (a) => (a.work || []).find((w) => w.status === 'draft' && w.kind === 'predictive');

function page(view) {
    const a = view.asset;
    view.doneBox = h('div');
    view.sensorBox = h('section', { class: 'panel', 'aria-label': t('sensors') });
    view.box = h('div', null,
        head({ crumbs: crumbs(a), title: [a.key, a.name ? h('span', { class: 'name' }, a.name) : null,
            stateBadge(a.state, a.state_rule)], answer: a.decision, actions: actions(view) }),
        view.doneBox,
        h('div', { class: 'cols asset-cols' },
            h('div', { class: 'stack' },
                h('div', { class: 'cols asset-charts' }, chancePanel(a), costPanel(a)),
                view.sensorBox, workPanel(view)),
            h('div', { class: 'stack side' }, whyPanel(a), partsPanel(a), similarPanel(a),
                aboutPanel(a))));
    return view.box;
}

/* --- decision ------------------------------------------------------------------------------- */

function actions(view) {
    const draft = draftOf(view.asset);
    if (!draft) {
        const open = (view.asset.work || []).find((w) => ['approved', 'sent', 'scheduled',
            'in_progress', 'on_hold'].includes(w.status));
        return open ? [h('a', { class: 'btn', href: `/work-orders/${seg(open.key)}` },
            t('open_wo', { key: open.key }))] : [];
    }
    const button = (name, label, key, cls, fn) => h('button', { class: `btn ${cls}`, type: 'button',
        'data-do': name, on: { click: fn } }, label, key ? h('kbd', { 'aria-hidden': 'true' }, key)
        : null);
    return [
        button('defer', t('defer'), 'd', '', () => defer(view, draft)),
        button('reject', t('reject'), 'r', '', () => decide(view, draft, { status: 'rejected' })),
        button('approve', t('approve'), null, 'main', () => decide(view, draft,
            { status: 'approved' })),
    ];
}

async function decide(view, draft, patch) {
    const path = `/work-orders/${seg(draft.key)}`;
    try {
        const answer = await withKey(async () => {
            const now = await getTagged(path);
            return send('PATCH', path, patch, { etag: now.etag });
        });
        if (!answer) return;
        const text = t(patch.status === 'approved' ? 'was_approved' : patch.status === 'rejected'
            ? 'was_rejected' : 'was_deferred', { key: draft.key, day: f.day(patch.earliest) });
        /* a rejected order stays rejected in the state machine: no Undo is offered for it */
        const undo = patch.status === 'rejected' ? null : async () => {
            const now = await getTagged(path);
            await send('PATCH', path, patch.status ? { status: 'draft' }
                : { earliest: draft.earliest, latest: draft.latest, due: draft.due },
            { etag: now.etag });
            view.ctx.reload();
        };
        done(view.doneBox, text, undo);
        view.box.querySelector('.actions')?.replaceChildren(h('a', { class: 'btn',
            href: path }, t('open_wo', { key: draft.key })));
    } catch (e) {
        clear(view.doneBox, h('div', { class: 'failed', role: 'alert' }, h('h3', null,
            t('could_not_save')), h('p', null, errorText(e))));
    }
}

async function defer(view, draft) {
    const points = view.asset.cost_by_date?.points || [];
    const input = h('input', { type: 'date', id: 'defer-to', value: (draft.due || '').slice(0, 10)
        || f.isoDay(f.siteNow()), required: true });
    const price = h('p');
    const best = view.asset.cost_by_date?.best;
    const showPrice = () => {
        const at = points.find((p) => p.date.slice(0, 10) >= input.value);
        price.textContent = at && best ? t('defer_price', { cost: f.money(at.cost),
            more: f.change(at.cost - best.cost) }) : '';
    };
    input.addEventListener('input', showPrice);
    showPrice();
    let chosen = null;
    const form = h('form', { method: 'dialog', on: { submit: () => { chosen = input.value; } } },
        h('div', { class: 'field' }, h('label', { for: 'defer-to' }, t('defer_to')), input), price,
        h('div', { class: 'bar' }, h('button', { class: 'btn main', type: 'submit' }, t('defer'))));
    await dialog(t('defer_title', { key: draft.key }), form, { bar: [] });
    if (chosen) {
        const latest = draft.latest && draft.latest.slice(0, 10) > chosen ? draft.latest
            : `${chosen}T23:59:59Z`;
        await decide(view, draft, { earliest: `${chosen}T00:00:00Z`, due: `${chosen}T00:00:00Z`,
            latest });
    }
}

/* --- chance and cost ------------------------------------------------------------------------ */

export function chancePanel(a) {
    const fc = a.forecast;
    const note = fc?.coverage_note || (fc?.model?.spoke ?? null);
    if (!fc || !(fc.horizons || []).length) {
        return panel({ title: t('chance_by_date'), body: empty(fc?.model?.spoke || t('no_forecast_why'),
            h('a', { class: 'btn', href: '/models' }, t('nav_models'))) });
    }
    const at = fc.horizons.find((q) => Math.abs(q.t_s - 2592000) < 43200) || fc.horizons[Math.floor(
        fc.horizons.length / 2)];
    return panel({ title: t('chance_by_date'), note, tools: h('button', { class: 'link',
        type: 'button', on: { click: () => explain({
            title: t('chance_by_date'), note: fc.model?.spoke, inputs: [
                [t('model'), fc.model ? `${word('model', fc.model.kind)} · ${fc.model.id ?? ''}`
                    : '\u2014'], [t('as_of'), f.dateTime(fc.as_of)],
                [t('base_points'), f.percent(fc.base_points, 1)],
                [t('data_share'), f.percent(fc.data_frac)], [t('cover'), fc.coverage_note || t('none')]],
            call: url('/forecasts', { asset: a.key }) }) } }, t('why_q')),
    body: h('div', { class: 'body' }, c.forecastCurve({ asOf: fc.as_of, horizons: fc.horizons,
        window: a.window, at: at?.t_s, coverage: a.decision?.rest })) });
}

export function costPanel(a) {
    const cost = a.cost_by_date;
    if (!cost || !(cost.points || []).length) {
        return panel({ title: t('cost_by_date'), body: empty(t('no_cost')) });
    }
    return panel({ title: t('cost_by_date'), note: cost.currency || f.currency(),
        body: h('div', { class: 'body' }, c.costByDate(a.window ? cost : { points: cost.points })) });
}

/* --- why ------------------------------------------------------------------------------------ */

export function whyPanel(a) {
    const fc = a.forecast;
    const reasons = fc?.reasons || [];
    const last = fc?.horizons?.find((q) => Math.abs(q.t_s - 2592000) < 43200);
    if (!reasons.length) {
        return panel({ title: t('why'), body: empty(fc?.model?.spoke || t('no_reasons')) });
    }
    const points = reasons.map((r) => 100 * r.points);
    const base = fc.base_points;
    const known = last ? 100 * (last.p - (base ?? 0)) - points.reduce((x, y) => x + y, 0) : 0;
    const rows = reasons.map((r, i) => ({ text: r.text, sensor: r.sensor, points: points[i] }));
    const hasElse = rows.some((r) => r.text.toLowerCase() === 'all else');
    if (!hasElse && Math.abs(known) >= 0.05) rows.push({ text: t('all_else'), points: known });
    const lo = Math.min(0, ...rows.map((r) => r.points));
    const hi = Math.max(0, ...rows.map((r) => r.points));
    return panel({ title: last ? t('why_p', { p: f.percent(last.p) }) : t('why'),
        note: base !== null && base !== undefined ? t('points_over', { p: f.percent(base, 1) }) : null,
        body: h('ul', { class: 'reasons' }, rows.map((r) => h('li', { 'data-sensor': r.sensor || null },
            h('span', null, f.words(r.text), r.sensor && !r.text.includes(r.sensor) ? h('span', { class: 'sub' },
                f.sensorName(r.sensor)) : null), c.reasonBar(r.points, lo, hi)))),
        footer: h('span', null, t('data_complete', { n: fc.sensors ?? 0, ok: (fc.sensors ?? 0)
            - (fc.sensors_stale ?? 0), p: f.percent(fc.data_frac) })) });
}

function partsPanel(a) {
    const parts = a.components || [];
    if (!parts.length) return null;
    return panel({ title: t('parts'), note: t('life_used'), body: h('div', { class: 'scroll' }, h('table',
        { class: 'tight fit' }, h('tbody', null, parts.map((p) => h('tr', null,
            h('th', { scope: 'row', title: p.last_event ? `${word('event', p.last_event.kind)} ${f.day(
                p.last_event.at)}` : p.name }, f.plainName(p.name)),
            h('td', { class: 'num' }, f.duration(p.age_s)), h('td', null, c.fraction(
                p.life_used_frac)), h('td', { class: 'num' }, f.percent(p.life_used_frac)),
            h('td', null, stateBadge(p.state))))))) });
}

const VERDICT = { right: '✓', missed: '✕', false_alarm: '✕' };

export function similarPanel(a) {
    const list = a.similar || [];
    if (!list.length) return panel({ title: t('similar'), body: empty(t('no_similar')) });
    const right = list.filter((x) => x.verdict === 'right').length;
    return panel({ title: t('similar'), note: t('n_of_right', { right, n: list.length }),
        body: h('table', null, h('tbody', null, list.map((x) => h('tr', null,
            h('td', null, h('a', { class: 'tag', href: `/asset/${seg(x.asset)}` }, x.asset), h('div',
                { class: 'small muted nowrap' }, f.month(x.at))), h('td', { class: 'small' }, x.text),
            h('td', { class: 'small nowrap' }, `${VERDICT[x.verdict] || ''} ${word('verdict',
                x.verdict)}`))))) });
}

function aboutPanel(a) {
    const rows = Object.entries(a.attributes || {});
    if (!rows.length) return null;
    return panel({ title: t('attributes'), body: h('div', { class: 'body' }, h('dl', { class: 'kv' },
        rows.map(([k, v]) => [h('dt', null, k.replaceAll('_', ' ')), h('dd', null, String(v))]))) });
}

/* --- sensors -------------------------------------------------------------------------------- */

function drawLanes(view) {
    const a = view.asset;
    const { query } = view.ctx;
    const all = [...(a.sensors || [])].sort((x, y) => (x.telling ?? 1e9) - (y.telling ?? 1e9));
    view.lanes?.end();
    view.lanes = null;
    if (!all.length) {
        clear(view.sensorBox, h('header', null, h('h2', null, t('sensors'))), empty(t('no_sensors')));
        return;
    }
    const wanted = (query.get('sensors') || '').split(',').filter(Boolean);
    const chosen = wanted.length ? all.filter((q) => wanted.includes(q.name)) : all.slice(0, SHOWN);
    const range = span(view);
    const end = endOf(view);
    const lanes = sensorLanes({ asset: a.key, sensors: chosen, events: view.timeline, end,
        from: SPANS[range] ? end - SPANS[range] * 86400000 : null, signal: view.ctx.signal });
    view.lanes = lanes;
    const boxes = all.map((q) => {
        const box = h('input', { type: 'checkbox', on: { change: () => {
            const names = boxes.filter((b) => b.input.checked).map((b) => b.name).slice(0, 8);
            view.ctx.go(view.ctx.href({ sensors: names.join(',') }), { replace: true });
        } } });
        box.checked = chosen.includes(q);
        return { input: box, name: q.name, el: h('label', null, box, f.sensorName(q.name), h('span',
            { class: 'muted small' }, [f.unit(q.unit), q.last ? f.estimate(q.last.value) : null].filter(Boolean)
                .reverse().join(' '))) };
    });
    clear(view.sensorBox, h('header', null, h('h2', null, t('sensors')),
        menu({ label: t('n_of_sensors', { n: chosen.length, of: all.length }), isSet: true,
            body: boxes.map((b) => b.el) }),
        chosen.some((q) => q.baseline) ? h('span', { class: 'legend small muted' }, h('span', null,
            h('span', { class: 'swatch range' }), t('own_range'))) : null,
        h('span', { class: 'note' }, segmented(t('time_span'), Object.keys(SPANS).map((k) => ({
            label: k === 'all' ? t('span_all') : t('n_days_short', { n: SPANS[k] }),
            href: view.ctx.href({ range: k === '180d' ? null : k }), on: k === range }))))),
    h('div', { class: 'body' }, lanes.box));
}

/* The lanes end at the newest reading of the asset, or the site's now when that is later. */
function endOf(view) {
    const last = (view.asset.sensors || []).map((q) => q.last?.at).filter(Boolean)
        .map((x) => new Date(x).getTime());
    const as_of = view.asset.forecast?.as_of ? new Date(view.asset.forecast.as_of).getTime() : 0;
    const now = f.siteNow().getTime();
    const newest = Math.max(as_of, ...last, 0);
    return newest && now - newest > 400 * 86400000 ? newest : Math.max(now, newest);
}

/* --- work and events ------------------------------------------------------------------------ */

function workPanel(view) {
    const work = view.asset.work || [];
    const events = [...view.timeline].reverse().slice(0, 60);
    const workTable = work.length ? h('div', { class: 'scroll' }, h('table', null, h('thead', null,
        h('tr', null, ['col_order', 'col_work', 'col_status', 'col_day', 'col_risk', 'col_cost']
            .map((k, i) => h('th', { scope: 'col', class: i > 3 ? 'num' : null }, t(k,
                { unit: f.currency() }))))), h('tbody', null, work.map((w) => h('tr', { 'data-href':
            `/work-orders/${seg(w.key)}` }, h('td', null, h('a', { class: 'tag',
            href: `/work-orders/${seg(w.key)}` }, w.key)), h('td', null, w.title),
        h('td', null, statusBadge(w)), h('td', { class: 'nowrap' }, f.day(w.scheduled || w.due)),
        h('td', { class: 'num' }, f.percent(w.risk_by_due, 1)), h('td', { class: 'num' },
            f.amount(w.expected_cost))))))) : empty(t('no_work'));
    const eventTable = events.length ? h('details', { class: 'as-table body' }, h('summary', null,
        t('n_events_list', { n: view.timeline.length })), h('div', { class: 'scroll' }, h('table',
        { class: 'tight' }, h('thead', null, h('tr', null, ['col_time', 'col_kind', 'col_part',
            'col_what'].map((k) => h('th', { scope: 'col' }, t(k))))), h('tbody', null, events.map((e) =>
            h('tr', null, h('td', { class: 'nowrap', title: e.at }, f.dateTime(e.at)), h('td', null, word(
                'event', e.kind)), h('td', null, f.plainName(e.component || '')), h('td', null, f.words(e.text)))))))) : null;
    return panel({ title: t('work_and_events'), note: t('newest_first'), body: [workTable, eventTable] });
}

