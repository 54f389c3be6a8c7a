/* Inbox: what must I decide today? A list by the date to decide and what waiting costs, the case in
 * hand beside it. Approve, defer, reject; each can be taken back. */

import { h, clear } from './dom.js';
import { t, word } from './messages.js';
import { get, getTagged, send, seg, url } from './api.js';
import * as f from './format.js';
import { stateBadge } from './glyphs.js';
import { head, panel, into, empty, dialog, withKey, done, errorText, loading } from './ui.js';
import { chancePanel, costPanel, similarPanel, whyPanel } from './page_asset.js';

const REASONS = ['not_worth_it', 'known', 'wrong_data', 'done_already', 'other'];

export async function show(ctx) {
    const view = { ctx, items: null, decided: [], opened: new Set(), marked: new Set(), last: null };
    ctx.title(t('nav_inbox'));
    view.headBox = h('div');
    view.doneBox = h('div', { class: 'done-box' });
    view.listBox = h('div', { class: 'panel long' });
    view.caseBox = h('div', { class: 'stack' });
    view.cols = h('div', { class: 'cols inbox-cols' }, h('div', { class: 'stack' }, view.listBox),
        view.caseBox);
    clear(view.headBox, head({ title: t('nav_inbox') }));
    ctx.root.append(view.headBox, view.doneBox, view.cols);
    await into(view.listBox, { rows: 6, what: t('nav_inbox'), make: () => load(view) });
    if (view.items) await open(view);
    return {
        update: (next) => {
            view.ctx = next;
            markRow(view);
            if (matchMedia('(max-width: 1100px)').matches) view.caseBox.scrollIntoView();
            return open(view);
        },
        keys: { j: () => step(view, 1), k: () => step(view, -1), ArrowDown: () => step(view, 1),
            ArrowUp: () => step(view, -1), a: () => press(view, 'approve'), d: () => press(view,
                'defer'), r: () => press(view, 'reject'), u: () => undoLast(view),
            ' ': (e) => (e.target.closest('input, button, summary') ? false : toggle(view, current(view))) },
    };
}

const press = (view, name) => view.caseBox.querySelector(`[data-do=${name}]`)?.click();
const caseHref = (view, id) => view.ctx.href({ case: id });

/* The case in hand: the one in the address, else the first. */
function current(view) {
    const id = Number(view.ctx.query.get('case'));
    return (view.items || []).find((c) => c.id === id) || (view.items || [])[0] || null;
}

async function load(view) {
    const { signal } = view.ctx;
    const today = f.isoDay(f.siteNow()); /* a date without zone is one of the site */
    const [open_, decided] = await Promise.all([get('/cases', { state: 'open', sort: 'decide_by' },
        { signal }), get('/cases', { state: 'approved,deferred,rejected', changed_since: today },
        { signal })]);
    view.items = open_.items;
    view.decided = decided.items.sort((a, b) => (a.updated < b.updated ? 1 : -1));
    const ids = new Set(view.items.map((c) => c.id));
    for (const set of [view.opened, view.marked]) for (const id of set) if (!ids.has(id)) set.delete(id);
    clear(view.headBox, head({ title: t('nav_inbox'), answer: open_.answer }));
    view.ctx.badge('inbox', view.items.length);
    drawList(view, open_.answer);
}

/* --- list ------------------------------------------------------------------------------------ */

function drawList(view, answer) {
    const rows = view.items.map((c) => row(view, c));
    view.cols.classList.toggle('single', !rows.length);
    clear(view.listBox, h('header', null, h('h2', null, t('inbox_list')), h('span', { class: 'note' },
        t('inbox_sorted'))), rows.length ? h('div', { class: 'scroll' }, h('table', { class: 'inbox' },
        h('thead', null, h('tr', null, [['c-mark', ''], ['c-state', t('col_state')], ['c-asset',
            t('col_asset')], ['c-by', t('col_decide_by')], ['c-wait', t('col_waiting', { unit:
            f.currency() })]].map(([cls, text]) => h('th', { scope: 'col', class: cls, 'aria-label':
            text || t('inbox_mark') }, text)))), h('tbody', null, rows)))
        : empty(answer.rest, h('a', { class: 'btn', href: '/fleet' }, t('nav_fleet'))),
    footer(view));
    view.answer = answer;
    markRow(view);
}

function row(view, c) {
    const href = caseHref(view, c.id);
    const box = h('input', { type: 'checkbox', 'aria-label': t('inbox_mark_one', { asset: c.asset }),
        on: { change: () => toggle(view, c) } });
    box.checked = view.marked.has(c.id);
    return h('tr', { 'data-href': href, 'data-case': c.id }, h('td', { class: 'c-mark' }, h('label', null, box)),
        h('td', { class: 'c-state' }, stateBadge(c.asset_state || 'no_data', c.asset_state_rule)),
        h('td', { class: 'c-asset' }, h('a', { class: 'tag', href }, c.asset), h('span', { class: 'sub' },
            [c.work ? f.words(c.work) : t('whole_asset'), c.area?.split('/').pop()].filter(Boolean).join(' · '))),
        h('td', { class: 'c-by nowrap' }, f.day(c.decide_by), h('span', { class: 'sub' }, t('inbox_signs',
            { n: (c.reasons || []).length }))),
        h('td', { class: 'c-wait num', 'data-unit': t('inbox_per_day', { unit: f.currency() }) }, f.amount(c.waiting_per_day)));
}

function footer(view) {
    const n = view.marked.size;
    const unread = [...view.marked].filter((id) => !view.opened.has(id)).length;
    const bulk = n ? h('div', { class: 'bulk' }, h('button', { class: 'btn main', type: 'button',
        disabled: unread > 0, 'data-do': 'bulk', on: { click: () => approveAll(view) } },
    t('inbox_bulk', { n })), h('span', null, unread ? t('inbox_bulk_unread', { n: unread })
        : t('inbox_bulk_read'))) : null;
    const today = view.decided.length ? h('details', { class: 'as-table' }, h('summary', null,
        t('inbox_done', { n: view.decided.length })), h('ul', { class: 'decided' }, view.decided.map(
        (c) => h('li', null, h('a', { class: 'tag', href: `/asset/${seg(c.asset)}` }, c.asset), h('span',
            null, `${f.plainName(c.component || '')} · ${word('case', c.state)}`, c.state === 'rejected'
                ? `: ${word('reject', c.reason)}` : ''), c.may_reopen ? h('button', { class: 'link', type:
            'button', 'aria-label': `${t('undo')} ${c.asset}`, on: { click: () => reopen(view, c.id) } },
        t('undo')) : null)))) : null;
    return bulk || today ? h('footer', { class: 'inbox-foot' }, bulk, today) : null;
}

function markRow(view) {
    const id = current(view)?.id;
    for (const tr of view.listBox.querySelectorAll('tr[data-case]')) {
        const isHere = Number(tr.dataset.case) === id;
        tr.classList.toggle('sel', isHere);
        tr.querySelector('a').toggleAttribute('aria-current', isHere);
    }
}

function toggle(view, c) {
    if (!c) return;
    if (view.marked.has(c.id)) view.marked.delete(c.id);
    else view.marked.add(c.id);
    const box = view.listBox.querySelector(`tr[data-case="${c.id}"] input`);
    if (box) box.checked = view.marked.has(c.id);
    drawFoot(view);
}

function drawFoot(view) {
    view.listBox.querySelector('.inbox-foot')?.remove();
    const foot = footer(view);
    if (foot) view.listBox.append(foot);
}

function step(view, by) {
    const i = view.items.indexOf(current(view)) + by;
    if (!view.items[i]) return;
    view.ctx.go(caseHref(view, view.items[i].id), { replace: true });
    const tr = view.listBox.querySelector(`tr[data-case="${view.items[i].id}"]`);
    tr?.querySelector('a').focus({ preventScroll: true });
    tr?.scrollIntoView({ block: 'nearest' });
}

/* --- the case in hand ------------------------------------------------------------------------- */

async function open(view) {
    const c = current(view);
    if (!c) return clear(view.caseBox);
    if (view.shown === c.id && view.caseBox.firstChild) return view.caseBox;
    view.shown = c.id;
    clear(view.caseBox, casePanel(view, c), h('div', { class: 'panel' }, loading(5, c.asset)));
    const { signal } = view.ctx;
    try {
        const [cost, forecasts, asset] = await Promise.all([get(`/cases/${c.id}/waiting-cost`, null,
            { signal }), get('/forecasts', { asset: c.asset, limit: 100 }, { signal }), get(`/assets/${
            seg(c.asset)}`, null, { signal })]);
        if (view.shown !== c.id) return view.caseBox;
        view.opened.add(c.id);
        drawFoot(view);
        drawCase(view, c, cost, forecasts.items, asset);
    } catch (e) {
        if (e.name === 'AbortError') {
            if (view.shown === c.id) view.shown = null;
            return view.caseBox;
        }
        view.caseBox.lastChild.replaceWith(h('div', { class: 'panel failed', role: 'alert' }, h('h3', null,
            t('could_not_show', { what: c.asset })), h('p', null, errorText(e))));
    }
    return view.caseBox;
}

/* What the panels of the asset page draw, of this one part. */
function like(c, cost, forecasts, asset) {
    const own = forecasts.find((x) => (x.component || null) === (c.component || null));
    const best = cost.items.find((d) => d.date === cost.best);
    const next = cost.items.find((d) => d.stop && d.date > cost.best);
    return { key: c.asset, similar: asset.similar,
        forecast: own ? { ...own.forecast, model: { id: own.model, kind: own.forecast.model_kind,
            spoke: own.forecast.spoke } } : null,
        window: { earliest: cost.earliest, best: cost.best, latest: cost.latest, risk_by_best:
            cost.risk_by_best, risk_limit: c.risk_limit },
        cost_by_date: { currency: cost.currency, points: cost.items, best, next: next || null } };
}

function drawCase(view, c, cost, forecasts, asset) {
    const a = like(c, cost, forecasts, asset);
    view.cost = cost;
    clear(view.caseBox, casePanel(view, c), h('div', { class: 'cols inbox-charts' }, chancePanel(a),
        costPanel(a)), h('div', { class: 'cols inbox-charts' }, whyPanel(a), similarPanel(a)));
}

function casePanel(view, c) {
    const facts = [['inbox_window', c.earliest ? f.daySpan(c.earliest, c.latest) : f.NONE], ['inbox_lands', c.lands],
        ['inbox_hours', `${f.estimate(c.duration_h, 2)}${f.NB}h${c.crew ? ` · ${c.crew}` : ''}`],
        ['inbox_spare', c.spare ? (c.order_spare_by ? t('inbox_spare_by', { spare: c.spare, day: f.day(
            c.order_spare_by) }) : t('inbox_spare_here', { spare: c.spare })) : t('none')],
        ['inbox_waiting', t('inbox_waiting_of', { v: f.money(c.waiting_per_day), saving: f.money(
            c.saving) })]];
    return h('section', { class: 'panel case', 'aria-label': c.asset }, h('header', null, h('h2', null,
        h('a', { class: 'tag', href: `/asset/${seg(c.asset)}` }, c.asset), h('span', { class: 'name' },
            c.name || ''), stateBadge(c.asset_state || 'no_data', c.asset_state_rule)), h('span', { class:
        'note' }, h('a', { href: url(`/cases/${c.id}`), target: '_blank', rel: 'noopener' },
        t('inbox_case_n', { n: c.id })))),
    h('p', { class: 'decision' }, h('strong', null, c.decision?.lead || c.work), ' ', c.decision?.rest),
    h('dl', { class: 'kv' }, facts.map(([k, v]) => [h('dt', null, t(k)), h('dd', null, v)])),
    h('div', { class: 'case-bar' }, button(view, 'approve', 'a', 'main', () => decide(view, [c],
        { action: 'approve' })), button(view, 'defer', 'd', '', () => defer(view, c)),
    button(view, 'reject', 'r', '', () => reject(view, c))));
}

function button(view, name, key, cls, fn) {
    const label = { approve: 'approve_short', defer: 'inbox_defer', reject: 'inbox_reject' }[name];
    return h('button', { class: `btn ${cls}`, type: 'button', 'data-do': name, on: { click: fn } },
        t(label), h('kbd', { 'aria-hidden': 'true' }, key));
}

/* --- decisions -------------------------------------------------------------------------------- */

async function patch(id, body) {
    const path = `/cases/${id}`;
    const now = await getTagged(path);
    return send('PATCH', path, body, { etag: now.etag });
}

/* One after the other, so that a refusal says which case it was. Then the list again, and the focus
 * on the row that came after. */
async function decide(view, cases, body) {
    const next = view.items[view.items.indexOf(cases[cases.length - 1]) + 1];
    const made = [];
    let failure = null;
    for (const c of cases) {
        try {
            const answer = await withKey(() => patch(c.id, body));
            if (!answer) break;
            made.push(answer.body);
        } catch (e) {
            failure = { c, e };
            break;
        }
    }
    if (made.length) await settle(view, made, body, next);
    if (failure) {
        clear(view.doneBox, h('div', { class: 'failed', role: 'alert' }, h('h3', null,
            `${t('could_not_save')}: ${failure.c.asset}`), h('p', null, errorText(failure.e))));
    }
}

async function settle(view, made, body, next) {
    const ids = made.map((c) => c.id);
    const [one] = made;
    const text = made.length > 1 ? t('inbox_n_approved', { n: made.length })
        : body.action === 'approve' ? t('inbox_approved', { asset: one.asset, lands: one.lands })
            : body.action === 'defer' ? t('inbox_deferred', { asset: one.asset, day: f.day(one.until) })
                : t('inbox_rejected', { asset: one.asset, reason: word('reject', body.reason) });
    view.last = ids;
    view.shown = null;
    done(view.doneBox, text, () => reopen(view, ...ids));
    await load(view);
    view.ctx.go(caseHref(view, next && view.items.some((c) => c.id === next.id) ? next.id : null),
        { replace: true });
    markRow(view);
    await open(view);
    view.listBox.querySelector('tr.sel a')?.focus({ preventScroll: true });
}

function approveAll(view) {
    const cases = view.items.filter((c) => view.marked.has(c.id) && view.opened.has(c.id));
    return cases.length ? decide(view, cases, { action: 'approve' }) : null;
}

async function reopen(view, ...ids) {
    for (const id of ids) await withKey(() => patch(id, { action: 'reopen' }));
    view.last = null;
    view.shown = null;
    clear(view.doneBox);
    await load(view);
    view.ctx.go(caseHref(view, ids[0]), { replace: true });
    markRow(view);
    await open(view);
}

async function undoLast(view) {
    const ids = view.last || view.decided.filter((c) => c.may_reopen).slice(0, 1).map((c) => c.id);
    if (!ids.length) return;
    try {
        await reopen(view, ...ids);
    } catch (e) {
        clear(view.doneBox, h('div', { class: 'failed', role: 'alert' }, h('h3', null,
            t('could_not_save')), h('p', null, errorText(e))));
    }
}

async function defer(view, c) {
    const days = (view.cost?.case === c.id && view.cost.items) || [];
    const first = f.addDays(f.isoDay(f.siteNow()), 1);
    const input = h('input', { type: 'date', id: 'defer-to', min: first, required: true,
        value: [f.addDays(first, 6), c.best].sort().pop() });
    const price = h('p', { role: 'status' });
    const showPrice = () => {
        const at = days.find((p) => p.date >= input.value);
        price.textContent = at ? t(at.waiting < 0 ? 'inbox_defer_less' : 'inbox_defer_price', {
            cost: f.money(at.cost), more: f.money(Math.abs(at.waiting)), risk: f.percent(at.risk, at.risk < 0.1 ? 1 : 0), day: f.day(at.date) }) : '';
    };
    input.addEventListener('input', showPrice);
    showPrice();
    let chosen = null;
    const form = h('form', { method: 'dialog', on: { submit: () => { chosen = input.value; } } },
        h('div', { class: 'field' }, h('label', { for: 'defer-to' }, t('defer_to')), input), price,
        h('p', { class: 'small' }, t('inbox_defer_what')), h('div', { class: 'bar' }, cancel(), h('button',
            { class: 'btn main', type: 'submit' }, t('defer'))));
    await dialog(t('defer_title', { key: c.asset }), form, { bar: [] });
    if (chosen) await decide(view, [c], { action: 'defer', until: chosen });
}

const cancel = () => h('button', { class: 'btn', type: 'button', on: { click: (e) => e.target.closest(
    'dialog').close() } }, t('cancel'));

async function reject(view, c) {
    let chosen = null;
    const form = h('form', { method: 'dialog', on: { submit: (e) => {
        chosen = new FormData(e.target).get('reason');
    } } }, h('p', null, t('inbox_reject_why')), h('div', { class: 'reason-list' }, REASONS.map((r, i) => h(
        'label', null, h('input', { type: 'radio', name: 'reason', value: r, required: true, autofocus:
            i === 0 }), h('span', null, word('reject', r))))), h('p', { class: 'small' }, t(
        'inbox_reject_what')), h('div', { class: 'bar' }, cancel(), h('button', { class: 'btn main', type:
        'submit' }, t('reject'))));
    await dialog(t('inbox_reject_title', { asset: c.asset }), form, { bar: [] });
    if (chosen) await decide(view, [c], { action: 'reject', reason: chosen });
}
