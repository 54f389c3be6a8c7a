/* The frame around every page: top bar, navigation, router, keys, search. State is in the URL: a page
 * is drawn from its path and query, and changes them to change itself. */

import { h, s, clear } from './dom.js';
import { t, loadMessages } from './messages.js';
import { get, apiKey } from './api.js';
import * as f from './format.js';
import { dialog, askKey, failed, announce } from './ui.js';

const PAGES = [
    { path: /^\/(?:fleet\/?)?$/, module: './page_fleet.js', nav: 'fleet' },
    { path: /^\/asset\/([^/]+)\/?$/, module: './page_asset.js', nav: 'fleet' },
    { path: /^\/inbox\/?$/, module: './page_inbox.js', nav: 'inbox' },
    { path: /^\/plan\/?$/, module: './page_plan.js', nav: 'plan' },
    { path: /^\/work-orders\/?$/, module: './page_work_orders.js', nav: 'work_orders' },
    { path: /^\/work-orders\/([^/]+)\/?$/, module: './page_work_order.js', nav: 'work_orders' },
    { path: /^\/life\/?$/, module: './page_life.js', nav: 'life' },
    { path: /^\/models\/?$/, module: './page_models.js', nav: 'models' },
    { path: /^\/track-record\/?$/, module: './page_track.js', nav: 'track' },
    { path: /^\/roi\/?$/, module: './page_roi.js', nav: 'roi' },
    { path: /^\/runs\/?$/, module: './page_runs.js', nav: 'runs' },
    { path: /^\/data\/?$/, module: './page_data.js', nav: 'data' },
    { path: /^\/admin\/?$/, module: './page_admin.js', nav: 'admin' },
];
const NAV = [
    ['nav_today', [['fleet', '/fleet', 'f'], ['inbox', '/inbox', 'i'],
        ['plan', '/plan', 'p'], ['work_orders', '/work-orders', 'w']]],
    ['nav_evidence', [['life', '/life', 'l'], ['models', '/models', 'm'],
        ['track', '/track-record', 't']]],
    ['nav_money', [['roi', '/roi', 'r']]],
    ['nav_system', [['data', '/data', 'd'], ['runs', '/runs', 'n'], ['admin', '/admin', 'a']]],
];
const BOTTOM = ['fleet', 'inbox', 'plan', 'work_orders']; /* on a phone; the rest is under More */
const GO = Object.fromEntries(NAV.flatMap(([, items]) => items.map(([, href, key]) => [key, href])));

const app = { site: null, page: null, abort: null, isLive: true };

/* What waits behind a page, beside its name; null takes the figure away. */
function badge(nav, n) {
    for (const a of document.querySelectorAll(`[data-nav=${nav}]`)) {
        a.querySelector('.badge')?.remove();
        if (n) a.append(h('span', { class: 'badge' }, f.count(n)));
    }
}

/* --- frame ---------------------------------------------------------------------------------- */

function brand() {
    return h('a', { class: 'brand', href: '/fleet' }, s('svg', { width: 18, height: 18,
        viewBox: '0 0 16 16', 'aria-hidden': 'true' }, s('path', { fill: 'none',
        stroke: 'currentColor', 'stroke-width': 1.7, 'stroke-linejoin': 'round',
        'stroke-linecap': 'round', d: 'M1 8.5h3.2l1.8-5 3.2 9 2-5.5 1 1.5H15' })),
    h('span', { class: 'word' }, 'Fettle'));
}

function frame() {
    const items = (list) => list.map(([name, href]) => h('li', null, h('a', { href,
        'data-nav': name }, h('span', null, t(`nav_${name}`)))));
    clear(document.body,
        h('a', { class: 'btn skip', href: '#main' }, t('skip')),
        h('header', { class: 'top' }, brand(), h('span', { class: 'site', id: 'site' }), search(),
            h('span', { class: 'grow' }), h('span', { class: 'fact time', id: 'time' }),
            h('span', { class: 'fact fresh', id: 'fresh' }),
            h('span', { class: 'fact user', id: 'user' }),
            h('button', { class: 'btn plain theme', type: 'button', id: 'theme',
                on: { click: nextTheme } }),
            h('button', { class: 'btn plain help', type: 'button', 'aria-label': t('help_title'),
                on: { click: help } }, h('kbd', null, '?'))),
        h('div', { class: 'frame' },
            h('nav', { class: 'nav', 'aria-label': t('nav_label') }, h('div', null,
                NAV.map(([group, list]) => [h('h2', null, t(group)), h('ul', null, items(list))]))),
            h('main', { id: 'main', tabindex: -1 })),
        h('nav', { class: 'bottom', 'aria-label': t('nav_label') },
            BOTTOM.map((name) => {
                const [, href] = NAV.flatMap(([, l]) => l).find(([q]) => q === name);
                return h('a', { href, 'data-nav': name }, t(`nav_${name}`));
            }),
            more()),
        h('div', { id: 'live', class: 'vh', role: 'status', 'aria-live': 'polite' }));
    showTheme();
}

function more() {
    const d = h('details', null, h('summary', null, t('nav_more')), h('div', null,
        NAV.flatMap(([, l]) => l).filter(([n]) => !BOTTOM.includes(n)).map(([name, href]) => h('a', { href, 'data-nav': name },
            t(`nav_${name}`))),
        h('button', { type: 'button', on: { click: nextTheme } }, t('theme_change')),
        h('button', { type: 'button', on: { click: () => askKey() } }, t('key_title'))));
    d.addEventListener('click', (e) => {
        if (e.target.closest('a')) d.open = false;
    });
    return d;
}

function showSite() {
    const site = app.site;
    document.getElementById('site').textContent = site?.name || '';
    const time = document.getElementById('time');
    clear(time, site ? [`${f.dateLong(f.siteNow())}, ${f.clock(f.siteNow())} `,
        h('span', { title: f.zone() }, f.zoneShort())] : null);
    const user = document.getElementById('user');
    clear(user, h('button', { class: 'link', type: 'button', on: { click: () => askKey() } },
        apiKey() ? t('key_in_use') : t('read_only')));
    showFresh();
}

function showFresh() {
    const el = document.getElementById('fresh');
    if (!el || !app.site) return;
    const last = app.site.last_reading_at;
    el.classList.toggle('bad', !app.isLive);
    if (!app.isLive) {
        clear(el, h('span', { class: 'warn' }, `▲ ${t('not_live', { time: f.clock(app.lostAt) })}`));
    } else if (!last) {
        clear(el, h('span', null, t('no_readings')));
    } else {
        clear(el, h('span', { title: last }, t('last_reading', { age: f.age(last,
            new Date(app.site.now)) })));
    }
}

async function loadSite() {
    try {
        app.site = await get('/site');
        app.isLive = true;
        f.formatSetSite(app.site);
    } catch (e) {
        if (app.isLive) app.lostAt = new Date();
        app.isLive = false;
        if (!app.site) app.site = { name: '', now: new Date().toISOString() };
    }
    showSite();
}

/* --- theme ---------------------------------------------------------------------------------- */

const THEMES = ['system', 'light', 'dark'];

function showTheme() {
    const name = t(`theme_${window.fettleTheme.choice()}`);
    const b = document.getElementById('theme');
    b.textContent = name;
    b.setAttribute('aria-label', t('theme_is', { name }));
    b.title = t('theme_is', { name });
}

function nextTheme() {
    const i = THEMES.indexOf(window.fettleTheme.choice());
    window.fettleTheme.set(THEMES[(i + 1) % 3]);
    showTheme();
    announce(t('theme_is', { name: t(`theme_${window.fettleTheme.choice()}`) }));
}

/* --- search --------------------------------------------------------------------------------- */

function search() {
    const list = h('ul', { id: 'found', role: 'listbox', hidden: true });
    const input = h('input', { type: 'search', id: 'find', role: 'combobox', autocomplete: 'off',
        'aria-expanded': 'false', 'aria-controls': 'found', 'aria-label': t('find'),
        placeholder: t('find') });
    let timer = 0;
    let at = -1;
    let hits = [];
    const close = () => {
        list.hidden = true;
        input.setAttribute('aria-expanded', 'false');
        at = -1;
    };
    const mark = () => [...list.children].forEach((li, i) => li.setAttribute('aria-selected',
        i === at ? 'true' : 'false'));
    const open = (hit) => {
        close();
        input.value = '';
        input.blur();
        go(hit.href);
    };
    const look = async () => {
        const q = input.value.trim();
        if (!q) return close();
        try {
            hits = await findAll(q);
        } catch (e) {
            hits = [];
        }
        if (input.value.trim() !== q) return undefined;
        clear(list, hits.length ? hits.map((hit) => h('li', { role: 'option',
            on: { pointerdown: (e) => e.preventDefault(), click: () => open(hit) } },
        h('b', null, hit.key), h('span', null, hit.text)))
            : h('li', { role: 'option', 'aria-disabled': 'true' }, t('nothing_found', { q })));
        at = hits.length ? 0 : -1;
        mark();
        list.hidden = false;
        input.setAttribute('aria-expanded', 'true');
        return undefined;
    };
    input.addEventListener('input', () => {
        clearTimeout(timer);
        timer = setTimeout(look, 150);
    });
    input.addEventListener('blur', () => setTimeout(close, 150));
    input.addEventListener('keydown', (e) => {
        if (e.key === 'Escape') {
            input.value = '';
            close();
            input.blur();
        } else if (e.key === 'ArrowDown' || e.key === 'ArrowUp') {
            e.preventDefault();
            at = Math.max(0, Math.min(hits.length - 1, at + (e.key === 'ArrowDown' ? 1 : -1)));
            mark();
        } else if (e.key === 'Enter' && hits[at]) {
            open(hits[at]);
        }
    });
    return h('div', { class: 'find', role: 'search' }, input, h('kbd', { 'aria-hidden': 'true' }, '/'),
        list);
}

async function findAll(q) {
    const assets = await get('/assets', { q, limit: 8 });
    const out = assets.items.map((a) => ({ key: a.key, text: [a.name, a.class].filter(Boolean)
        .join(' · '), href: `/asset/${encodeURIComponent(a.key)}` }));
    if (/^wo/i.test(q)) {
        out.push({ key: q.toUpperCase(), text: t('open_work_order'),
            href: `/work-orders/${encodeURIComponent(q.toUpperCase())}` });
    }
    return out;
}

/* --- router --------------------------------------------------------------------------------- */

export function go(href, { replace } = {}) {
    if (href === location.pathname + location.search) return;
    history[replace ? 'replaceState' : 'pushState'](null, '', href);
    route();
}

async function route() {
    const found = PAGES.map((p) => [p, p.path.exec(location.pathname)]).find(([, m]) => m);
    const main = document.getElementById('main');
    app.abort?.abort();
    const abort = new AbortController();
    app.abort = abort;
    const isSame = app.page?.path === location.pathname;
    if (!isSame) {
        app.page?.end?.();
        app.page = null;
    }
    document.querySelectorAll('[data-nav]').forEach((a) => {
        if (found && a.dataset.nav === found[0].nav) a.setAttribute('aria-current', 'page');
        else a.removeAttribute('aria-current');
    });
    document.body.classList.toggle('no-bottom', /^\/work-orders\/./.test(location.pathname));
    if (!found) {
        clear(main, h('div', { class: 'panel' }, failed(location.pathname,
            { message: '', status: 404 }, null)));
        main.querySelector('.failed p').textContent = t('no_such_page');
        return;
    }
    const query = new URLSearchParams(location.search);
    const ctx = {
        root: main,
        key: found[1][1] ? decodeURIComponent(found[1][1]) : null,
        query,
        signal: abort.signal,
        site: app.site,
        go,
        badge,
        title: (text) => { document.title = text ? `${text} · Fettle` : 'Fettle'; },
        /* href of this page with some query values changed; null takes one out */
        href: (changes) => {
            const q = new URLSearchParams(location.search);
            for (const [k, v] of Object.entries(changes)) {
                if (v === null || v === '' || v === undefined) q.delete(k);
                else q.set(k, v);
            }
            const text = q.toString();
            return location.pathname + (text ? `?${text}` : '');
        },
        reload: () => {
            app.page?.end?.();
            app.page = null;
            return route();
        },
    };
    try {
        if (isSame && app.page.update) {
            await app.page.update(ctx);
            return;
        }
        const module = await import(found[0].module);
        if (abort.signal.aborted) return;
        main.replaceChildren();
        window.scrollTo(0, 0);
        const page = await module.show(ctx);
        if (abort.signal.aborted) {
            page?.end?.();
            return;
        }
        app.page = { path: location.pathname, ...page };
        main.append(printFoot());
    } catch (e) {
        if (e.name === 'AbortError' || abort.signal.aborted) return;
        clear(main, h('div', { class: 'panel' }, failed(document.title, e, route)));
    }
}

function printFoot() {
    return h('div', { class: 'print-foot' }, h('span', null, app.site?.name || ''),
        h('span', null, `${f.dateTime(f.siteNow())} ${f.zoneShort()}`),
        h('span', null, location.href));
}

function onClick(e) {
    const a = e.target.closest?.('a[href]');
    if (a && !e.defaultPrevented && e.button === 0 && !e.metaKey && !e.ctrlKey && !e.shiftKey
        && !a.target && !a.hasAttribute('download') && a.origin === location.origin
        && !a.pathname.startsWith('/api/') && !a.pathname.startsWith('/static/')
        && a.pathname !== '/openapi.json') {
        if (a.hash && a.pathname === location.pathname) return;
        e.preventDefault();
        go(a.pathname + a.search);
        return;
    }
    const row = e.target.closest?.('tr[data-href]');
    if (row && !e.target.closest('button, input, summary, a') && !getSelection().toString()) {
        if (e.metaKey || e.ctrlKey) window.open(row.dataset.href, '_blank', 'noopener');
        else go(row.dataset.href);
    }
}

/* --- keys ----------------------------------------------------------------------------------- */

let pending = 0;

function isTyping(el) {
    return el && (el.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(el.tagName))
        && !['checkbox', 'radio', 'button'].includes(el.type);
}

const rows = () => [...document.querySelectorAll('main tr[data-href]')];

function moveRow(step) {
    const all = rows();
    if (!all.length) return;
    const now = all.findIndex((r) => r.classList.contains('sel'));
    const next = all[Math.max(0, Math.min(all.length - 1, now + step))];
    all[now]?.classList.remove('sel');
    next.classList.add('sel');
    next.querySelector('a')?.focus({ preventScroll: true });
    next.scrollIntoView({ block: 'nearest' });
}

const selected = () => document.querySelector('main tr.sel[data-href]');

const COMMON = {
    '/': () => document.getElementById('find').focus(),
    '?': () => help(),
    t: () => nextTheme(),
    j: () => moveRow(1),
    k: () => moveRow(-1),
    Enter: () => selected() && go(selected().dataset.href),
    o: () => selected() && window.open(selected().dataset.href, '_blank', 'noopener'),
    e: () => (selected() || document).querySelector('main [data-explain], [data-explain]')?.click(),
    c: async () => {
        try {
            await navigator.clipboard.writeText(location.href);
            announce(t('link_copied'));
        } catch (e) {
            announce(location.href);
        }
    },
};

function keysOn() {
    try {
        return localStorage.getItem('fettle-keys') !== 'off';
    } catch (e) {
        return true;
    }
}

function onKey(e) {
    if (e.ctrlKey || e.metaKey || e.altKey || isTyping(e.target) || document.querySelector(
        'dialog[open]') || (!keysOn() && e.key !== '?')) return;
    if (e.key === 'Enter' && e.target.closest('a, button, summary, input')) return;
    if (pending) {
        clearTimeout(pending);
        pending = 0;
        if (GO[e.key]) {
            e.preventDefault();
            go(GO[e.key]);
        }
        return;
    }
    if (e.key === 'g') {
        pending = setTimeout(() => { pending = 0; }, 1500);
        return;
    }
    const fn = app.page?.keys?.[e.key] || COMMON[e.key];
    if (!fn) return;
    if (fn(e) !== false) e.preventDefault();
}

function help() {
    const line = (keys, text) => h('li', null, h('span', null, text), h('span', null,
        keys.split(' ').map((k) => h('kbd', null, k))));
    const isOn = h('input', { type: 'checkbox', id: 'keys-on' });
    isOn.checked = keysOn();
    isOn.addEventListener('change', () => {
        try {
            localStorage.setItem('fettle-keys', isOn.checked ? 'on' : 'off');
        } catch (e) { /* stays as it is */ }
    });
    dialog(t('help_title'), [h('ul', { class: 'keys' },
        NAV.flatMap(([, l]) => l).map(([name, , key]) => line(`g ${key}`, t(`nav_${name}`))),
        line('/', t('find')), line('j k', t('key_rows')), line('Enter', t('key_open')),
        line('o', t('key_beside')), line('e', t('key_explain')), line('f', t('key_filter')),
        line('s', t('key_sort')), line('[ ]', t('key_window')), line('c', t('key_copy')),
        line('a d r u', t('key_inbox')), line('t', t('theme_change')), line('?', t('help_title'))),
    h('p', null, h('label', { for: 'keys-on' }, isOn, ' ', t('keys_on'))),
    h('p', { class: 'small' }, h('a', { href: '/openapi.json', target: '_blank', rel: 'noopener' },
        t('api_description')), app.site?.version ? ` · Fettle ${app.site.version}` : '')]);
}

async function start() {
    await loadMessages();
    frame();
    await loadSite();
    addEventListener('popstate', route);
    addEventListener('click', onClick);
    addEventListener('keydown', onKey);
    addEventListener('fettle-key', loadSite);
    setInterval(() => {
        if (!document.hidden) loadSite();
    }, 30000);
    await route();
}

start();
