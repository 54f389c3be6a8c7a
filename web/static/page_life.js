/* Life lab: how does this part wear out, and when is replacing it cheapest? A part of the site's own
 * records, analysed by the server; the page draws. The selection stands in the address. */

import { h, clear } from './dom.js';
import { t, word } from './messages.js';
import { get, send, seg } from './api.js';
import * as f from './format.js';
import * as c from './charts_life.js';
import { head, panel, into, empty } from './ui.js';

const LAWS = ['weibull', 'best', 'lognormal', 'loglogistic', 'gamma', 'gumbel', 'exponential', 'weibull3'];

export async function show(ctx) {
    const view = { ctx };
    ctx.title(t('nav_life'));
    view.headBox = h('div');
    view.parts = h('div', { class: 'panel long' });
    view.box = h('div', { class: 'stack life-box' });
    clear(view.headBox, head({ title: t('nav_life') }));
    ctx.root.append(view.headBox, h('div', { class: 'cols life-cols' }, h('div', { class: 'stack side' },
        view.parts), view.box));
    await into(view.parts, { rows: 8, what: t('life_parts'), make: async () => {
        view.site = await get('/models/life', null, { signal: ctx.signal });
        drawParts(view);
    } });
    if (view.site) await analyse(view);
    return { update: (next) => {
        view.ctx = next;
        drawParts(view);
        return analyse(view);
    } };
}

/* --- selection ------------------------------------------------------------------------------- */

/* The part in hand: the one in the address, else the one with most failures. */
function chosen(view) {
    const { query } = view.ctx;
    const all = view.site.components;
    return all.find((p) => p.class === query.get('class') && (p.component || '') === (query.get('component')
        || '')) || [...all].sort((a, b) => b.failures - a.failures)[0] || null;
}

const hrefOf = (view, p) => view.ctx.href({ class: p.class, component: p.component, drop: null, planned: null,
    failure: null });

function drawParts(view) {
    const all = view.site.components;
    const here = chosen(view);
    if (!all.length) {
        clear(view.parts, empty(t('life_empty'), h('a', { class: 'btn', href: '/data' }, t('nav_data'))));
        return;
    }
    clear(view.parts, h('header', null, h('h2', null, t('life_parts')), h('span', { class: 'note' },
        t('life_parts_note'))), h('div', { class: 'scroll', tabindex: 0 }, h('table', { class: 'fit parts' }, h('thead',
        null, h('tr', null, [['col_part'], ['life_failed', 1], ['life_open', 1], ['life_best', 1],
            ['life_saves', 1]].map(([k, isNum]) => h('th', { scope: 'col', class: isNum ? 'num' : null },
            t(k))))), h('tbody', null, all.map((p) => h('tr', { 'data-href': hrefOf(view, p), class: p === here
            ? 'sel' : null }, h('th', { scope: 'row' }, h('a', { href: hrefOf(view, p), 'aria-current': p === here
            ? 'true' : null }, f.plainName(p.component || t('whole_asset'))), h('span', { class: 'sub' },
        f.plainName(p.class))), h('td', { class: 'num' }, f.count(p.failures)), h('td', { class: 'num' },
        f.count(p.censored)), h('td', { class: 'num' }, p.verdict === 'replace_at' ? `${f.estimate(
            p.best_interval_d)}${f.NB}d` : f.NONE), h('td', { class: 'num' }, p.verdict === 'replace_at'
            ? f.percent(p.saving_frac) : word('life_verdict', p.verdict))))))));
}

function controls(view, r) {
    const { query } = view.ctx;
    const set = (name) => ({ on: { change: (e) => view.ctx.go(view.ctx.href({ [name]: e.target.value })) } });
    const law = h('select', { id: 'life-law', ...set('law') }, LAWS.map((k) => {
        const o = h('option', { value: k }, word('law', k));
        o.selected = k === (query.get('law') || 'weibull');
        return o;
    }));
    const cost = (id, name, value) => h('div', { class: 'field' }, h('label', { for: id }, t(`life_${name}`, {
        unit: r.currency })), h('input', { id, type: 'number', min: '0.01', step: 'any', value: query.get(name)
        || value, inputmode: 'decimal', ...set(name) }));
    return h('div', { class: 'life-controls' }, h('div', { class: 'field' }, h('label', { for: 'life-law' },
        t('life_law')), law), cost('life-planned', 'planned', r.cost_planned), cost('life-failure', 'failure',
        r.cost_failure));
}

/* --- analysis ---------------------------------------------------------------------------------- */

const dropped = (view) => (view.ctx.query.get('drop') || '').split(',').filter(Boolean);

async function analyse(view) {
    const part = chosen(view);
    if (!part) return;
    const { query, signal } = view.ctx;
    const number = (name) => (Number(query.get(name)) > 0 ? Number(query.get(name)) : undefined);
    await into(view.box, { rows: 8, what: f.plainName(part.component || part.class), make: async () => {
        const { body } = await send('POST', '/models/life', { class: part.class, component: part.component
            || undefined, distribution: query.get('law') || 'weibull', drop: dropped(view), cost_planned:
            number('planned'), cost_failure: number('failure') }, { signal });
        clear(view.headBox, head({ title: [t('nav_life'), h('span', { class: 'name' }, `${f.plainName(
            part.component || t('whole_asset'))}, ${f.plainName(part.class)}`)], answer: body.answer }));
        view.lives = livesPanel(view, body);
        return body.plot ? drawn(view, body) : h('div', { class: 'stack' }, selection(view, body), panel({
            title: t('life_paper'), body: empty(body.answer.rest) }), view.lives);
    } });
}

function drawn(view, r) {
    return h('div', { class: 'stack' }, selection(view, r), h('div', { class: 'cols life-charts' },
        paperPanel(view, r), h('div', { class: 'stack' }, costPanel(r), hazardPanel(r))),
    h('div', { class: 'cols life-thirds' }, mcfPanel(r), regionPanel(r), actorsPanel(r)), lawsPanel(view, r),
    view.lives);
}

function selection(view, r) {
    const n = dropped(view).length;
    const notes = [...(r.warnings || []), r.costs_are_defaults ? t('life_default_costs') : null].filter(Boolean);
    return panel({ title: t('life_selection'), note: t('life_counts', { n: r.failures, open: r.censored, of:
        r.assets }), body: h('div', { class: 'body' }, controls(view, r), notes.map((x) => h('p', { class:
        'small second' }, f.capital(x))), n ? h('p', { class: 'small' }, t('life_left_out', { n }), ' ',
    h('a', { href: view.ctx.href({ drop: null }) }, t('life_take_all_back'))) : null) });
}

const caption = (r) => t('life_caption', { n: f.count(r.failures), open: f.count(r.censored) });

function paperPanel(view, r) {
    const kept = r.lives.filter((x) => !x.dropped);
    return panel({ title: t('life_paper'), note: `${word('law', r.distribution)} · ${t('life_bounds', { p:
        f.percent(r.ci.confidence) })}`, body: h('div', { class: 'body' }, c.probabilityPaper({ paper:
        r.plot.paper, running: kept.filter((x) => !x.failed).map((x) => x.time), caption: `${t('life_paper')}. ${
        caption(r)}`, open: (age) => point(view, r, age) })), footer: h('span', { class: 'legend' }, h('span',
        null, `● ${t('life_mark_failed')}`), h('span', null, `▷ ${t('life_mark_open')}`), h('span', null,
        caption(r))) });
}

/* Shows the lives that end at an age, in the table of lives. */
function point(view, r, age) {
    const near = r.lives.reduce((a, b) => (Math.abs(b.time - age) < Math.abs(a.time - age) ? b : a));
    const list = view.lives.querySelector('details');
    list.open = true;
    for (const tr of list.querySelectorAll('tr[data-life]')) {
        tr.classList.toggle('sel', tr.dataset.life === near.id);
    }
    const row = list.querySelector('tr.sel');
    row?.scrollIntoView({ block: 'center' });
    row?.querySelector('a').focus({ preventScroll: true });
}

function hazardPanel(r) {
    return panel({ title: t('life_hazard'), note: t('life_hazard_unit'), body: h('div', { class: 'body' },
        c.hazardCurve({ rows: r.hazard, label: t('life_hazard') })) });
}

function costPanel(r) {
    const saves = r.optimal_interval !== null && r.optimal_interval !== undefined;
    return panel({ title: t('life_cost'), note: t('life_cost_unit', { unit: r.currency }), body: h('div', { class:
        'body' }, c.costRateCurve({ rows: r.cost, best: saves ? r.optimal_interval : null, rate: r.cost_rate,
        flat: r.flat, run: r.run_rate, label: r.answer.lead })) });
}

function mcfPanel(r) {
    return panel({ title: t('life_mcf'), note: t('life_mcf_unit'), body: r.mcf.length ? h('div', { class:
        'body' }, c.meanCumulative({ rows: r.mcf, label: t('life_mcf') })) : empty(t('life_no_mcf')) });
}

const firstName = (law) => (law === 'gumbel' ? t('life_location') : t('life_shape'));

function regionPanel(r) {
    const region = r.plot.contour;
    const names = { first: f.capital(firstName(r.distribution)), second: t('life_scale_d') };
    return panel({ title: t('life_region'), note: region ? t('life_region_note', { p: f.percent(
        region.confidence) }) : null, body: region ? h('div', { class: 'body' }, c.jointRegion({
        contour: region, first: r.shape ?? r.location, second: r.scale, names, isLocation: r.distribution
        === 'gumbel', label: t('life_region') }))
        : empty(t('life_no_region')) });
}

function actorsPanel(r) {
    const rows = r.by_asset.filter((x) => x.failures > 0).slice(0, 8);
    return panel({ title: t('life_actors'), note: t('life_actors_note'), body: rows.length ? h('table', { class:
        'fit' }, h('thead', null, h('tr', null, ['col_asset', 'life_failed', 'life_observed'].map((k, i) => h('th',
        { scope: 'col', class: i ? 'num' : null }, t(k))))), h('tbody', null, rows.map((x) => h('tr', null,
        h('th', { scope: 'row' }, h('a', { class: 'tag', href: `/asset/${seg(x.asset)}` }, x.asset)), h('td',
            { class: 'num' }, f.count(x.failures)), h('td', { class: 'num' }, `${f.count(x.days)}${f.NB}d`)))))
        : empty(t('life_no_mcf')) });
}

function lawsPanel(view, r) {
    const laws = [...r.laws].sort((a, b) => (a.aic ?? 1e9) - (b.aic ?? 1e9));
    const ci = r.ci.profile || r.ci;
    const both = (v, pair) => (pair && Number.isFinite(pair[0]) && Number.isFinite(pair[1])
        ? `${f.estimate(v)} (${f.range(pair[0], pair[1], (x) => f.estimate(x))})` : f.estimate(v));
    return panel({ title: t('life_laws'), note: t('life_laws_note'), body: h('div', { class: 'scroll', tabindex: 0 },
        h('table', { class: 'tight' }, h('thead', null, h('tr', null, ['life_law', 'life_loglik', 'life_aic',
            'life_distance', 'life_first', 'life_scale_d'].map((k, i) => h('th', { scope: 'col', class: i ? 'num'
            : null }, t(k))))), h('tbody', null, laws.map((x) => {
            const isHere = x.distribution === r.distribution;
            const href = view.ctx.href({ law: x.distribution === 'weibull' ? null : x.distribution });
            return h('tr', { class: isHere ? 'sel' : null }, h('th', { scope: 'row' }, h('a', { href,
                'aria-current': isHere ? 'true' : null }, word('law', x.distribution))), x.error ? h('td',
                { colspan: 5, class: 'small' }, x.error) : [h('td', { class: 'num' }, f.fixed(x.log_likelihood,
                1)), h('td', { class: 'num' }, f.fixed(x.aic, 1)), h('td', { class: 'num' }, f.estimate(
                x.anderson_darling)), h('td', { class: 'num' }, isHere ? both(r.shape ?? r.location, ci.shape
                || ci.location) : both(x.shape ?? x.location)), h('td', { class: 'num' }, isHere ? both(r.scale, ci.scale)
                : both(x.scale))]);
        })))) });
}

/* Every life behind the fit: whose, how long, and out with it or back again. */
function livesPanel(view, r) {
    const out = new Set(dropped(view));
    const toggle = (id) => {
        const next = new Set(out);
        if (next.has(id)) next.delete(id);
        else next.add(id);
        return view.ctx.href({ drop: [...next].join(',') });
    };
    const lives = [...r.lives].sort((a, b) => b.failed - a.failed || a.time - b.time);
    const list = h('details', { class: 'as-table body', open: out.size > 0 || !r.plot }, h('summary', null,
        t('life_lives_n', { n: lives.length })), h('div', { class: 'scroll', tabindex: 0 }, h('table', { class: 'tight' },
        h('thead', null, h('tr', null, [['col_asset'], ['life_age', 1], ['life_entry', 1], ['life_end'], ['col_day'],
            ['life_in_fit']].map(([k, isNum]) => h('th', { scope: 'col', class: isNum ? 'num' : null }, t(k))))),
        h('tbody', null, lives.map((x) => h('tr', { 'data-life': x.id }, h('td', null, h('a', { class: 'tag', href:
            `/asset/${seg(x.asset)}` }, x.asset)), h('td', { class: 'num' }, `${f.fixed(x.time, 1)}${f.NB}d`),
        h('td', { class: 'num' }, x.entry ? `${f.fixed(x.entry, 1)}${f.NB}d` : f.NONE), h('td', null,
            x.failed ? `● ${t('life_mark_failed')}` : `▷ ${t('life_mark_open')}`), h('td', { class: 'nowrap', title:
                x.ended }, f.day(x.ended)), h('td', null, h('a', { href: toggle(x.id), 'data-drop': x.id }, t(
            x.dropped ? 'life_take_back' : 'life_leave_out')))))))));
    return panel({ title: t('life_lives'), cls: 'long', note: caption(r), body: list });
}
