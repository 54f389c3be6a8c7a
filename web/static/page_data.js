/* Data: is what we know complete? What came in, what could not be taken and why, what is stale. */

import { h, clear } from './dom.js';
import { t, word } from './messages.js';
import { getAll, seg } from './api.js';
import * as f from './format.js';
import { head, panel, into, empty } from './ui.js';

const SHOWN = 200;

export async function show(ctx) {
    ctx.title(t('nav_data'));
    const headBox = h('div');
    const imports = h('div', { class: 'panel long' });
    const rows = h('div', { class: 'panel long' });
    clear(headBox, head({ title: t('nav_data') }));
    ctx.root.append(headBox, h('div', { class: 'stack' }, rows, imports));
    const known = {};
    const answer = () => {
        if (!known.rows || !known.imports) return;
        const n = known.imports.reduce((a, i) => a + (i.rejected || 0), 0) || known.rows.length;
        clear(headBox, head({ title: t('nav_data'), answer: { lead: n ? t('data_lead', { n })
            : t('data_lead_none'), rest: t('data_rest', { n: known.imports.length }) } }));
    };
    into(rows, { rows: 4, what: t('quarantine'), make: async () => {
        known.rows = (await getAll('/quarantine', { limit: 1000, import: ctx.query.get('import') },
            { signal: ctx.signal, most: 1000 })).items;
        fill(rows, quarantine(known.rows));
        answer();
    } });
    into(imports, { rows: 4, what: t('imports'), make: async () => {
        known.imports = (await getAll('/imports', { limit: 200 }, { signal: ctx.signal })).items;
        fill(imports, importTable(known.imports));
        answer();
    } });
    return { update: (next) => show({ ...next, root: clear(next.root) }) };
}

const fill = (box, made) => clear(box, [...made.childNodes]);

function tableOf(heads, lines) {
    return h('div', { class: 'scroll', tabindex: 0 }, h('table', null, h('thead', null, h('tr', null,
        heads.map(([k, isNum]) => h('th', { scope: 'col', class: isNum ? 'num' : null }, t(k))))),
    h('tbody', null, lines)));
}

function quarantine(rows) {
    return panel({ title: t('quarantine'), note: rows.length ? t('quarantine_note') : null,
        body: rows.length ? tableOf([['col_file'], ['col_line', 1], ['col_column'], ['col_reason'],
            ['col_raw']], rows.slice(0, SHOWN).map((r) => h('tr', null, h('td', null, h('b', null,
            r.file)), h('td', { class: 'num' }, f.count(r.line)), h('td', null, r.column || '\u2014'),
        h('td', null, r.reason), h('td', null, h('code', { class: 'raw', title: r.raw },
            r.raw.length > 90 ? `${r.raw.slice(0, 90)}…` : r.raw))))) : empty(t('no_quarantine')) });
}

function importTable(rows) {
    const heads = [['col_file'], ['col_kind'], ['col_started'], ['col_rows', 1], ['col_new', 1],
        ['col_unchanged', 1], ['col_rejected', 1]];
    return panel({ title: t('imports'), note: t('newest_first'), body: rows.length ? tableOf(heads,
        rows.map((r) => h('tr', null, h('td', null, h('b', null, r.file)), h('td', null, word('import',
            r.kind)), h('td', { class: 'nowrap', title: r.started }, f.dateTime(r.started), r.ended ? null
            : h('span', { class: 'warn' }, ` ${t('interrupted')}`)), h('td', { class: 'num' },
            f.count(r.rows)), h('td', { class: 'num' }, f.count(r.new)), h('td', { class: 'num' },
            f.count(r.unchanged)), h('td', { class: 'num' }, r.rejected ? h('a', { href:
                `/data?import=${seg(r.id)}` }, f.count(r.rejected)) : '0')))) : empty(t('no_imports')) });
}
