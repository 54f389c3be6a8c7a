/* Admin: who may call, who is told, and how to connect. Read with an admin's key. */

import { h, clear } from './dom.js';
import { t, word } from './messages.js';
import { getAll, apiKey } from './api.js';
import * as f from './format.js';
import { head, panel, into, empty, askKey } from './ui.js';

export async function show(ctx) {
    ctx.title(t('nav_admin'));
    const keys = h('div', { class: 'panel' });
    const hooks = h('div', { class: 'panel' });
    ctx.root.append(head({ title: t('nav_admin'), answer: { lead: t('admin_lead'), rest: t('admin_rest') },
        actions: [h('button', { class: 'btn', type: 'button', on: { click: () => askKey().then(() =>
            ctx.reload()) } }, apiKey() ? t('key_in_use') : t('enter_key')), h('a', { class: 'btn',
            href: '/openapi.json', target: '_blank', rel: 'noopener' }, 'OpenAPI')] }),
    h('div', { class: 'stack' }, keys, hooks));
    const fill = () => {
        table(ctx, keys, '/keys', t('api_keys'), t('no_keys'), ['col_name', 'col_role', 'col_key', 'col_made',
            'col_used', 'col_expires'], (k) => [h('b', null, k.name), word('role', k.role), k.id, f.day(k.created), k.used ? f.dateTime(k.used) : t('never'), k.revoked ? t(
            'revoked') : k.expires ? f.day(k.expires) : t('never')]);
        table(ctx, hooks, '/webhooks', t('webhooks'), t('no_webhooks'), ['col_url', 'col_events', 'col_state'],
        (w) => [h('b', null, w.url), Array.isArray(w.events) ? w.events.join(', ') : w.events,
            w.active === false ? t('paused') : t('active'), f.day(w.created)]);
    };
    fill();
    return { update: fill };
}

function table(ctx, box, path, title, none, heads, cells) {
    into(box, { rows: 3, what: title, make: async () => {
        const { items } = await getAll(path, { limit: 200 }, { signal: ctx.signal });
        const made = panel({ title, body: items.length ? h('div', { class: 'scroll', tabindex: 0 }, h('table',
            null, h('thead', null, h('tr', null, heads.map((k) => h('th', { scope: 'col' }, t(k))))),
            h('tbody', null, items.map((x) => h('tr', null, cells(x).map((q) => h('td', null, q))))))) : empty(
            none) });
        clear(box, [...made.childNodes]);
    } });
}
