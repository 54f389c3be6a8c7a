/* Work orders: what is open, for whom, and when. */

import { h, clear } from './dom.js';
import { t, word } from './messages.js';
import { getAll, seg, url } from './api.js';
import * as f from './format.js';
import { statusBadge } from './glyphs.js';
import { head, panel, segmented, menu, into, empty } from './ui.js';

const OPEN = ['draft', 'approved', 'sent', 'scheduled', 'in_progress', 'on_hold'];
const SETS = { open: OPEN, drafts: ['draft'], closed: ['done', 'closed', 'cancelled', 'rejected'],
    all: null };
const KINDS = ['predictive', 'preventive', 'inspection', 'corrective', 'emergency'];
const DRAWN = 200;

const setOf = (query) => (query.get('set') in SETS ? query.get('set') : 'open');

export async function show(ctx) {
    ctx.title(t('nav_work_orders'));
    const view = { ctx, items: null };
    view.headBox = h('div');
    view.box = h('div', { class: 'panel long' });
    ctx.root.append(view.headBox, view.box);
    drawHead(view);
    into(view.box, { rows: 10, what: t('nav_work_orders'), make: async () => {
        view.items = (await getAll('/work-orders', { limit: 1000 }, { signal: ctx.signal })).items;
        draw(view);
    } });
    return { update: (next) => {
        view.ctx = next;
        drawHead(view);
        draw(view);
    } };
}

function drawHead(view) {
    const now = setOf(view.ctx.query);
    const items = view.items || [];
    const open = items.filter((w) => OPEN.includes(w.status)).length;
    const drafts = items.filter((w) => w.status === 'draft').length;
    clear(view.headBox, head({ title: t('nav_work_orders'), answer: view.items ? { lead: t('wo_lead',
        { n: open }), rest: t('wo_rest', { n: drafts }) } : null, actions: [segmented(t('col_status'),
        Object.keys(SETS).map((k) => ({ label: t(`set_${k}`), on: k === now, href: view.ctx.href({ set:
            k === 'open' ? null : k, all: null }) }))), h('a', { class: 'btn', href: url('/work-orders'),
        target: '_blank', rel: 'noopener' }, 'JSON')] }));
}

const when = (w) => w.scheduled || w.due || w.latest || '9999';

function draw(view) {
    if (!view.items) return;
    drawHead(view);
    const { query } = view.ctx;
    const set = SETS[setOf(query)];
    const kinds = new Set((query.get('kind') || '').split(',').filter(Boolean));
    const rows = view.items.filter((w) => (!set || set.includes(w.status)) && (!kinds.size
        || kinds.has(w.kind)));
    const isClosed = setOf(query) === 'closed';
    rows.sort((a, b) => (isClosed ? ((b.ended || b.updated || '') < (a.ended || a.updated || '') ? -1 : 1)
        : when(a) < when(b) ? -1 : 1));
    const shown = query.get('all') === '1' ? rows : rows.slice(0, DRAWN);
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
    const made = panel({ title: t(`set_${setOf(query)}`), tools: h('div', { class: 'chips' }, menu({
        label: kinds.size ? [...kinds].map((k) => word('kind', k)).join(', ') : t('all_kinds'),
        isSet: kinds.size, body: boxes })), note: t('n_orders', { n: rows.length }),
    body: rows.length ? [table(shown, isClosed), shown.length < rows.length ? h('p', { class: 'empty' },
        h('a', { href: view.ctx.href({ all: 1 }) }, t('show_rest', { n: rows.length - shown.length })))
        : null] : empty(t('no_orders'), h('a', { class: 'btn', href: '/plan' }, t('nav_plan'))) });
    clear(view.box, [...made.childNodes]);
}

function table(rows, isClosed) {
    const heads = [['col_order'], ['col_asset'], ['col_work'], ['col_status'], ['col_kind'],
        [isClosed ? 'col_closed' : 'col_day'], isClosed ? ['col_found'] : ['due_window'], ['col_crew'],
        ['col_hours', 1], isClosed ? ['col_cost', 1] : ['col_waiting', 1]];
    return h('div', { class: 'scroll', tabindex: 0 }, h('table', null, h('thead', null, h('tr', null,
        heads.map(([k, isNum]) => h('th', { scope: 'col', class: isNum ? 'num' : null }, t(k,
            { unit: f.currency() }))))), h('tbody', null, rows.map((w) => {
        const href = `/work-orders/${seg(w.key)}`;
        return h('tr', { 'data-href': href }, h('td', null, h('a', { class: 'tag', href }, w.key)),
            h('td', null, h('a', { class: 'tag', href: `/asset/${seg(w.asset)}` }, w.asset)),
            h('td', null, w.title), h('td', null, statusBadge(w)), h('td', null, word('kind', w.kind)),
            h('td', { class: 'nowrap' }, f.day(isClosed ? w.ended || w.updated : w.scheduled || w.due)),
            h('td', { class: 'nowrap second' }, isClosed ? word('outcome', w.outcome)
                : w.earliest || w.latest ? `${f.dayShort(w.earliest)}\u2013${f.dayShort(w.latest)}`
                    : '\u2014'),
            h('td', null, w.crew || '\u2014'), h('td', { class: 'num' }, f.estimate(w.duration_h)),
            h('td', { class: 'num' }, f.amount(isClosed ? w.expected_cost : w.waiting_per_day)));
    }))));
}
