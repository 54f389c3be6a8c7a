/* One work order, made for a phone: what, where, why, and closing it in three taps. Each tap is kept in
 * this browser at once; without network the answer is sent when the network is back, once only. */

import { h, clear } from './dom.js';
import { t, word } from './messages.js';
import { get, getTagged, send, seg, onceKey } from './api.js';
import * as f from './format.js';
import { statusBadge } from './glyphs.js';
import { into, withKey, done, errorText, announce } from './ui.js';

const OPEN = ['draft', 'approved', 'sent', 'scheduled', 'in_progress', 'on_hold', 'done'];
const QUEUE = 'fettle-outcomes';

/* Answers that wait for the network: {key: {body, once}}. */
function queue(change) {
    let all = {};
    try {
        all = JSON.parse(localStorage.getItem(QUEUE) || '{}');
        if (change) {
            change(all);
            localStorage.setItem(QUEUE, JSON.stringify(all));
        }
    } catch (e) { /* storage is off: the answer stays on the screen */ }
    return all;
}

function draftOf(key) {
    try {
        return JSON.parse(localStorage.getItem(`fettle-close-${key}`) || 'null');
    } catch (e) {
        return null;
    }
}

function keepDraft(key, value) {
    try {
        if (value) localStorage.setItem(`fettle-close-${key}`, JSON.stringify(value));
        else localStorage.removeItem(`fettle-close-${key}`);
    } catch (e) { /* not kept */ }
}

export async function show(ctx) {
    ctx.title(ctx.key);
    const view = { ctx, wo: null, asset: null };
    view.box = h('div');
    ctx.root.append(view.box);
    await into(view.box, { rows: 6, what: ctx.key, make: async () => {
        view.wo = await get(`/work-orders/${seg(ctx.key)}`, null, { signal: ctx.signal });
        view.asset = await get(`/assets/${seg(view.wo.asset)}`, null, { signal: ctx.signal })
            .catch((e) => {
                if (e.name === 'AbortError') throw e;
                return null;
            });
        return view.ctx.query.get('close') ? closing(view) : order(view);
    } });
    const flush = () => sendQueue(view);
    addEventListener('online', flush);
    if (navigator.onLine && Object.keys(queue()).length) flush();
    return {
        update: (next) => {
            view.ctx = next;
            if (view.wo) clear(view.box, next.query.get('close') ? closing(view) : order(view));
            scrollTo(0, 0);
        },
        end: () => removeEventListener('online', flush),
    };
}

const card = (title, ...body) => h('section', { class: 'panel' }, title ? h('h2', null, title) : null,
    body);

function why(view) {
    const reasons = view.asset?.forecast?.reasons || [];
    const at = view.asset?.forecast?.horizons?.find((q) => Math.abs(q.t_s - 2592000) < 43200);
    const text = [view.wo.reason ? f.words(view.wo.reason) : null, !view.wo.reason && reasons[0] ? `${f.words(reasons[0].text)}.` : null]
        .filter(Boolean);
    const risk = at && view.wo.kind === 'predictive' ? t('in_100_such', { n: Math.max(1, Math.round(100
        * at.p)), cls: view.asset.class }) : null;
    if (!text.length && !risk) return null;
    return card(t('col_why'), h('p', null, [...text, risk].filter(Boolean).join(' ')));
}

function order(view) {
    const w = view.wo;
    const isOpen = OPEN.includes(w.status);
    const pair = (k, v) => (v === null || v === undefined || v === '' || v === '\u2014' ? null
        : h('li', null, h('span', null, k), h('span', null, v)));
    const last = (view.asset?.work || []).filter((q) => q.key !== w.key && q.ended).slice(0, 3);
    view.doneBox = h('div');
    return h('div', { class: 'wo' },
        h('div', { class: 'crumbs' }, h('a', { href: '/work-orders' }, `‹ ${t('nav_work_orders')}`)),
        view.doneBox,
        card(null, statusBadge(w), w.scheduled || w.due ? h('span', { class: 'second small' }, ' ',
            f.day(w.scheduled || w.due)) : null, h('h1', null, w.title), h('p', null, h('a',
            { class: 'tag', href: `/asset/${seg(w.asset)}` }, w.asset), ' ', view.asset?.name || ''),
        h('p', { class: 'small muted' }, (view.asset?.area || '').replaceAll('/', ' › '))),
        why(view),
        card(t('wo_facts'), h('ul', { class: 'list' }, pair(t('col_order'), w.external_key
            ? `${w.key} · ${w.external_key}` : w.key), pair(t('col_part'), w.component ? f.plainName(w.component) : null),
        pair(t('col_kind'), word('kind', w.kind)), pair(t('col_crew'), w.crew), pair(t('col_hours'),
            f.estimate(w.duration_h)), pair(t('due_window'), w.earliest || w.latest ? `${f.day(
            w.earliest)} \u2013 ${f.day(w.latest)}` : null), pair(t('waiting_day'), w.waiting_per_day
            ? f.money(w.waiting_per_day) : null), pair(t('expected_cost'), w.expected_cost
            ? f.money(w.expected_cost) : null), pair(t('col_found'), w.outcome ? word('outcome',
            w.outcome) : null), pair(t('col_closed'), w.ended ? f.dateTime(w.ended) : null))),
        w.note ? card(t('note'), h('p', null, w.note)) : null,
        last.length ? card(t('last_jobs'), h('ul', { class: 'list' }, last.map((q) => h('li', null,
            h('a', { href: `/work-orders/${seg(q.key)}` }, q.title), h('span', { class: 'nowrap' },
                f.day(q.ended)))))) : null,
        isOpen ? h('div', { class: 'wo-bar' }, w.status === 'draft' ? h('button', { class: 'btn side',
            type: 'button', on: { click: () => change(view, { status: 'approved' }) } }, t(
            'approve_short')) : h('button', { class: 'btn side', type: 'button', on: { click: () =>
            change(view, { status: w.status === 'in_progress' ? 'on_hold' : 'in_progress' }) } },
        t(w.status === 'in_progress' ? 'pause' : 'begin')),
        h('a', { class: 'btn main', href: view.ctx.href({ close: 1 }) }, t('close_job'))) : null);
}

async function change(view, body) {
    const path = `/work-orders/${seg(view.wo.key)}`;
    const before = view.wo.status;
    const apply = async (patch) => {
        const now = await getTagged(path);
        const answer = await send('PATCH', path, patch, { etag: now.etag });
        view.wo = answer.body;
        clear(view.box, order(view));
        return true;
    };
    try {
        if (!await withKey(() => apply(body))) return;
        done(view.doneBox, t('status_now', { key: view.wo.key, status: word('status', view.wo.status) }),
            () => apply({ status: before }));
    } catch (e) {
        clear(view.doneBox, h('div', { class: 'panel' }, h('div', { class: 'failed', role: 'alert' },
            h('h3', null, t('could_not_save')), h('p', null, errorText(e)))));
    }
}

/* --- close-out ------------------------------------------------------------------------------ */

function choices(name, items, chosen, onPick) {
    return h('div', { class: 'choices', role: 'radiogroup' }, items.map(([value, label, isWide]) => {
        const input = h('input', { type: 'radio', name, value, on: { change: () => onPick(value) } });
        input.checked = value === chosen;
        return h('label', { class: isWide ? 'wide' : null }, input, h('span', null, label));
    }));
}

function closing(view) {
    const w = view.wo;
    const state = draftOf(w.key) || { outcome: null, component: w.component || '', note: '',
        once: onceKey() };
    const keep = () => keepDraft(w.key, state);
    const parts = (view.asset?.components || []).map((p) => p.name);
    const likely = [...new Set([w.component, ...parts].filter(Boolean))];
    const effect = h('p');
    const button = h('button', { class: 'btn main', type: 'button', on: { click: () => finish(view, state,
        button) } }, t('close_3'));
    const refresh = () => {
        keep();
        button.disabled = !state.outcome;
        effect.textContent = state.outcome ? t(`effect_${state.outcome}`, { part: f.plainName(state.component
            || w.asset) }) : t('effect_none');
    };
    view.closeNote = h('p', { hidden: true });
    const note = h('textarea', { id: 'close-note', rows: 2, on: { input: () => {
        state.note = note.value;
        keep();
    } } }, state.note || '');
    const hours = h('input', { id: 'close-hours', type: 'text', inputmode: 'decimal', value: state.hours
        ?? '', placeholder: '0', on: { input: () => {
        state.hours = hours.value;
        keep();
    } } });
    const made = h('div', { class: 'wo' },
        h('div', { class: 'crumbs' }, h('a', { href: view.ctx.href({ close: null }) }, `‹ ${w.key}`)),
        h('h1', null, t('close_title', { key: w.key })),
        card(t('close_1'), choices('outcome', [['confirmed', t('found_confirmed'), true], ['other_fault',
            t('found_other_fault')], ['nothing_found', t('found_nothing_found')], ['had_failed',
            t('found_had_failed'), true]], state.outcome, (v) => {
            state.outcome = v;
            refresh();
        })),
        likely.length ? card(t('close_2'), choices('part', likely.slice(0, 6).map((p) => [p, f.plainName(p)]),
            state.component, (v) => {
                state.component = v;
                refresh();
            })) : null,
        card([t('down_hours'), ' ', h('span', null, t('optional'))], h('div', { class: 'field' }, h('label',
            { for: 'close-hours', class: 'vh' }, t('down_hours')), hours)),
        card([t('note'), ' ', h('span', null, t('optional'))], h('div', { class: 'field' }, h('label',
            { for: 'close-note', class: 'vh' }, t('note')), note)),
        card(t('what_answer_does'), effect),
        h('div', { class: 'wo-bar' }, view.closeNote, button));
    refresh();
    return made;
}

async function finish(view, state, button) {
    const w = view.wo;
    const body = { outcome: state.outcome };
    if (state.component) body.component = state.component;
    if (state.note.trim()) body.note = state.note.trim();
    const hours = Number(String(state.hours ?? '').replace(',', '.'));
    if (state.hours && Number.isFinite(hours) && hours >= 0) body.downtime_h = hours;
    button.disabled = true;
    const say = (text) => {
        view.closeNote.hidden = false;
        view.closeNote.textContent = text;
        announce(text);
    };
    try {
        const answer = await withKey(() => send('POST', `/work-orders/${seg(w.key)}/outcome`, body,
            { once: state.once }));
        if (!answer) {
            button.disabled = false;
            return;
        }
        keepDraft(w.key, null);
        view.wo = await get(`/work-orders/${seg(w.key)}`);
        view.ctx.go(view.ctx.href({ close: null }), { replace: true });
        announce(t('was_closed', { key: w.key }));
    } catch (e) {
        button.disabled = false;
        if (e.status === 0) {
            queue((all) => { all[w.key] = { body, once: state.once }; });
            say(t('sent_later'));
        } else {
            say(errorText(e));
        }
    }
}

/* Sends what waits, oldest first; the once key makes a second sending harmless. */
async function sendQueue(view) {
    for (const [key, { body, once }] of Object.entries(queue())) {
        try {
            await send('POST', `/work-orders/${seg(key)}/outcome`, body, { once });
        } catch (e) {
            if (e.status === 0 || e.status === 401) return;
        }
        queue((all) => { delete all[key]; });
        keepDraft(key, null);
        announce(t('was_closed', { key }));
        if (key === view.ctx.key) view.ctx.reload();
    }
}

