/* Parts that every page uses: head, panel, menu, loading rows, empty and failed places, dialogs. */

import { h, clear } from './dom.js';
import { t } from './messages.js';
import { ApiError, apiKey, setApiKey } from './api.js';

/* Breadcrumb, title, answer line and actions. answer: {lead, rest} from the server; null leaves the
 * line's space empty until it comes. */
export function head({ crumbs, title, answer, actions }) {
    const line = h('p', { class: 'answer', id: 'answer' });
    setAnswer(line, answer);
    return h('div', { class: 'head' },
        h('div', null, crumbs ? h('nav', { class: 'crumbs', 'aria-label': t('breadcrumb') }, crumbs)
            : null, h('h1', null, title), line),
        actions && actions.length ? h('div', { class: 'actions' }, actions) : null);
}

export function setAnswer(line, answer) {
    clear(line, answer?.lead ? h('strong', null, answer.lead) : null,
        answer?.rest ? ` ${answer.rest}` : null);
}

export function panel({ title, note, tools, body, footer, cls, id }) {
    return h('section', { class: `panel ${cls || ''}`, id, 'aria-label': title },
        title ? h('header', null, h('h2', null, title), tools, note
            ? h('span', { class: 'note', title: typeof note === 'string' ? note : null }, note) : null) : null,
        body, footer ? h('footer', null, footer) : null);
}

/* The strip of key figures: [{label, big, rest, under, aside}], none of them computed here. */
export function strip(cells) {
    return h('div', { class: 'panel strip' }, cells.map((c) => h('div',
        { class: c.aside ? 'has-aside' : null },
        h('div', { class: 'label' }, c.label),
        h('div', { class: 'figure' }, h('span', { class: 'big' }, c.big), c.rest),
        h('div', { class: 'under' }, c.under),
        c.aside ? h('div', { class: 'aside' }, c.aside) : null)));
}

/* Links that switch one query value: [{label, href, on}] */
export function segmented(label, items) {
    return h('div', { class: 'seg', role: 'group', 'aria-label': label },
        items.map((i) => h('a', { href: i.href, 'aria-current': i.on ? 'true' : null }, i.label)));
}

/* A pop-up of choices that closes on Escape and on a click outside. */
export function menu({ label, isSet, body }) {
    const d = h('details', { class: `menu ${isSet ? 'set' : ''}` }, h('summary', null, label),
        h('div', null, body));
    const close = (e) => {
        if (!d.contains(e.target)) d.open = false;
    };
    d.addEventListener('toggle', () => {
        if (d.open) document.addEventListener('pointerdown', close);
        else document.removeEventListener('pointerdown', close);
    });
    d.addEventListener('keydown', (e) => {
        if (e.key !== 'Escape') return;
        d.open = false;
        d.firstChild.focus();
        e.stopPropagation();
    });
    return d;
}

/* Grey rows in the final height; after two seconds they say what they wait for. */
export function loading(rows, what) {
    const box = h('div', { class: 'wait', 'aria-busy': 'true' },
        Array.from({ length: rows }, () => h('i')));
    setTimeout(() => {
        if (box.isConnected) box.append(h('p', null, t('waits_for', { what })));
    }, 2000);
    return box;
}

export function empty(text, action) {
    return h('div', { class: 'empty' }, h('p', null, text), action || null);
}

const CAUSES = { 0: 'error_network', 401: 'error_key', 403: 'error_role', 404: 'error_not_found',
    412: 'error_changed', 429: 'error_busy', 503: 'error_unavailable' };

export function errorText(e) {
    if (!(e instanceof ApiError)) return t('error_page', { detail: e.message });
    if (e.status === 0) return t('error_network');
    if (e.detail) return e.detail;
    return CAUSES[e.status] ? t(CAUSES[e.status]) : e.title || t('error_other', { n: e.status });
}

/* An error where the thing would be: what, why, retry, reference. */
export function failed(what, e, retry) {
    if (!(e instanceof ApiError)) console.error(e);
    const needsKey = e.status === 401 || e.status === 403;
    return h('div', { class: 'failed', role: 'alert' },
        h('h3', null, t('could_not_show', { what })), h('p', null, errorText(e)),
        retry ? h('button', { class: 'btn', type: 'button', on: { click: retry } }, t('retry'))
            : null, ' ',
        needsKey ? h('button', { class: 'btn', type: 'button', on: { click: async () => {
            if (await askKey() && retry) retry();
        } } }, t('enter_key')) : null,
        e.reference ? h('span', { class: 'ref' }, t('reference', { ref: e.reference })) : null);
}

/* Fills `box` with loading rows, then with what make() returns, or with the error. */
export async function into(box, { rows, what, make }) {
    const old = box.firstChild;
    if (!old || old.classList?.contains('failed')) clear(box, loading(rows, what));
    try {
        const made = await make();
        if (made) clear(box, made);
    } catch (e) {
        if (e.name === 'AbortError') return;
        clear(box, failed(what, e, () => into(box, { rows, what, make })));
    }
}

/* --- dialogs -------------------------------------------------------------------------------- */

/* Opens a modal dialog; resolves with its return value when it is closed. Focus goes back. */
export function dialog(title, body, { bar } = {}) {
    const opener = document.activeElement;
    const d = h('dialog', { 'aria-label': title }, h('div', null, h('h2', null, title), body,
        h('div', { class: 'bar' }, bar || h('button', { class: 'btn', type: 'button', autofocus: true,
            on: { click: () => d.close() } }, t('close')))));
    document.body.append(d);
    d.addEventListener('click', (e) => {
        if (e.target === d) d.close();
    });
    d.showModal();
    return new Promise((done) => {
        d.addEventListener('close', () => {
            const value = d.returnValue;
            d.remove();
            if (opener?.isConnected) opener.focus();
            done(value);
        });
    });
}

/* What stands behind a figure: formula in words, inputs, and the call that gives it. */
export function explain({ title, formula, inputs, note, call }) {
    return dialog(title, [formula ? h('code', { class: 'formula' }, formula) : null,
        inputs ? h('dl', { class: 'kv' }, inputs.filter(Boolean).map(([k, v]) => [h('dt', null, k),
            h('dd', null, v)])) : null,
        note ? h('p', { class: 'small' }, note) : null,
        call ? h('p', { class: 'small' }, t('same_from_api'), ' ', h('a', { href: call,
            target: '_blank', rel: 'noopener' }, h('code', null, call))) : null]);
}

/* A figure that opens its explanation (click, Enter, or e on the row). */
export function figure(text, make, label) {
    return h('button', { class: 'fig', type: 'button', 'data-explain': '', 'aria-label': label || null,
        title: t('show_how'), on: { click: (e) => {
            e.stopPropagation();
            explain(make());
        } } }, text);
}

/* Asks for an API key; true when one was given. Kept for this tab only. */
export async function askKey(why) {
    const input = h('input', { type: 'password', autocomplete: 'off', name: 'key', id: 'key-input',
        spellcheck: 'false', value: apiKey() });
    let given = false;
    const d = h('form', { method: 'dialog', on: { submit: (e) => {
        e.preventDefault();
        setApiKey(input.value.trim());
        given = input.value.trim() !== '';
        d.closest('dialog').close();
    } } }, h('p', null, why || t('key_why')),
    h('div', { class: 'field' }, h('label', { for: 'key-input' }, t('key_label')), input),
    h('p', { class: 'small' }, t('key_how'), ' ', h('code', null,
        'fettle key create --name planner --role planner')),
    h('div', { class: 'bar' }, apiKey() ? h('button', { class: 'btn', type: 'button',
        on: { click: () => {
            setApiKey('');
            d.closest('dialog').close();
        } } }, t('key_forget')) : null,
    h('button', { class: 'btn', type: 'button', on: { click: () => d.closest('dialog').close() } },
        t('cancel')), h('button', { class: 'btn main', type: 'submit' }, t('key_use'))));
    await dialog(t('key_title'), d, { bar: [] });
    return given;
}

/* Runs a change that needs a key: asks for one first when there is none, and again when refused. */
export async function withKey(change) {
    if (!apiKey() && !await askKey()) return null;
    try {
        return await change();
    } catch (e) {
        if (e.status !== 401) throw e;
        if (!await askKey(t('key_refused'))) return null;
        return change();
    }
}

/* Tells a screen reader, and shows, what was just done; with Undo for ten seconds. */
export function announce(text) {
    const live = document.getElementById('live');
    if (live) live.textContent = text;
}

export function done(box, text, undo) {
    announce(text);
    const line = h('div', { class: 'note-line undo' }, h('span', null, text));
    if (undo) {
        const button = h('button', { class: 'btn', type: 'button', on: { click: async () => {
            button.disabled = true;
            try {
                await undo();
                line.remove();
            } catch (e) {
                clear(line, errorText(e));
            }
        } } }, t('undo'));
        line.append(button);
        setTimeout(() => button.remove(), 10000);
    }
    clear(box, line);
}

/* Saves text as a file of the given name. */
export function csvLink(label, href, name) {
    return h('a', { class: 'btn', href, download: name, type: 'text/csv' }, label);
}
