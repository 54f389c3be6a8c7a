/* Track record: was it right? Every published forecast that came due, misses first; open ones are
 * listed as open. */

import { h, clear } from './dom.js';
import { t, word } from './messages.js';
import { getAll, seg } from './api.js';
import * as f from './format.js';
import { head, panel, into, empty, strip, segmented } from './ui.js';

const SETS = ['due', 'open', 'all'];
const WARNING = 0.2;   /* a forecast at or above this counted as a warning, when the ledger does not say */

export async function show(ctx) {
    ctx.title(t('nav_track'));
    const view = { ctx, items: null };
    view.headBox = h('div');
    view.box = h('div');
    clear(view.headBox, head({ title: t('nav_track') }));
    ctx.root.append(view.headBox, view.box);
    into(view.box, { rows: 8, what: t('nav_track'), make: async () => {
        view.items = (await getAll('/ledger', { limit: 1000 }, { signal: ctx.signal, most: 3000 })).items;
        draw(view);
    } });
    return { update: (next) => {
        view.ctx = next;
        draw(view);
    } };
}

const isDue = (x) => x.outcome !== null && x.outcome !== undefined;
const warned = (x) => (x.warning ?? x.is_warning ?? x.p >= WARNING);

function draw(view) {
    if (!view.items) return;
    const all = view.items;
    const due = all.filter((x) => isDue(x) && x.outcome !== 'censored');
    const count = (w, o) => due.filter((x) => Boolean(warned(x)) === w && x.outcome === o).length;
    const right = count(true, 'failed');
    const missed = count(false, 'failed');
    const falseAlarms = count(true, 'survived');
    const set = SETS.includes(view.ctx.query.get('set')) ? view.ctx.query.get('set') : 'due';
    clear(view.headBox, head({ title: t('nav_track'), answer: due.length ? { lead: t('track_lead', {
        n: right + falseAlarms, right }), rest: t('track_rest', { n: missed }) } : { lead: t(
        'track_none'), rest: t('track_none_rest', { n: all.length }) }, actions: [segmented(t('col_status'),
        SETS.map((k) => ({ label: t(`track_${k}`), on: k === set, href: view.ctx.href({ set: k === 'due'
            ? null : k }) }))), h('button', { class: 'btn', type: 'button', on: { click: () => print() } },
        t('print'))] }));
    const order = (x) => (x.outcome === 'failed' && !warned(x) ? 0 : x.outcome === 'survived' && warned(x)
        ? 1 : x.outcome === 'failed' ? 2 : 3);
    const rows = all.filter((x) => set === 'all' || (set === 'due') === isDue(x)).sort((a, b) => order(a)
        - order(b) || (b.as_of || '').localeCompare(a.as_of || ''));
    clear(view.box, strip([
        { label: t('track_right'), big: f.count(right), rest: t('track_right_rest'), under: '' },
        { label: t('track_missed'), big: f.count(missed), rest: t('track_missed_rest'), under: '' },
        { label: t('track_false'), big: f.count(falseAlarms), rest: t('track_false_rest'), under: '' },
        { label: t('track_quiet'), big: f.count(count(false, 'survived')), rest: t('track_quiet_rest'),
            under: '' },
        { label: t('track_open_n'), big: f.count(all.length - all.filter(isDue).length), rest: '',
            under: t('track_open_under') }]),
    panel({ title: t('track_list'), cls: 'long', note: t('n_forecasts', { n: rows.length }), body: rows.length
        ? table(rows.slice(0, 300)) : empty(t('track_empty')), footer: h('span', null, t('track_foot',
        { p: f.percent(WARNING) })) }));
}

function table(rows) {
    return h('div', { class: 'scroll', tabindex: 0 }, h('table', null, h('thead', null, h('tr', null,
        ['col_asset', 'col_part', 'col_made', 'col_about', 'col_said', 'col_happened', 'col_verdict',
            'col_decided'].map((k) => h('th', { scope: 'col', class: k === 'col_said' ? 'num' : null },
            t(k))))), h('tbody', null, rows.map((x) => h('tr', { 'data-href': `/asset/${seg(x.asset)}` },
        h('td', null, h('a', { class: 'tag', href: `/asset/${seg(x.asset)}` }, x.asset)),
        h('td', null, x.component ? f.plainName(x.component) : t('whole_asset')), h('td', { class: 'nowrap' }, f.day(x.as_of)),
        h('td', { class: 'nowrap' }, f.duration(x.horizon_s)), h('td', { class: 'num' }, h('b', null,
            f.percent(x.p))), h('td', null, isDue(x) ? word('ledger', x.outcome) : t('ledger_open')),
        h('td', null, verdict(x)), h('td', { class: 'nowrap' }, f.day(x.decided_at)))))));
}

function verdict(x) {
    if (!isDue(x) || x.outcome === 'censored') return h('span', { class: 'muted' }, '\u2014');
    if (x.outcome === 'failed') {
        return warned(x) ? h('span', null, `✓ ${t('verdict_right')}`) : h('b', { class: 'loss' },
            `✕ ${t('verdict_missed')}`);
    }
    return warned(x) ? h('span', { class: 'warn' }, `✕ ${t('verdict_false_alarm')}`) : h('span',
        { class: 'muted' }, t('verdict_quiet'));
}
