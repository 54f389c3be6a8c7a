/* Data: is what we know complete? What came in, what could not be taken and why, what is stale. */

import { h, clear } from './dom.js';
import { t, word } from './messages.js';
import { get, getAll, seg } from './api.js';
import * as f from './format.js';
import { qualityStrip, stripLegend } from './charts_quality.js';
import { head, panel, into, empty, segmented } from './ui.js';

const SHOWN = 200;

export async function show(ctx) {
    ctx.title(t('nav_data'));
    const headBox = h('div');
    const imports = h('div', { class: 'panel long' });
    const rows = h('div', { class: 'panel long' });
    clear(headBox, head({ title: t('nav_data') }));
    const labels = h('div', { class: 'panel long' });
    const sensors = h('div', { class: 'panel long' });
    const strips = h('div', { class: 'panel long' });
    ctx.root.append(headBox, h('div', { class: 'stack' }, labels, strips, sensors, rows, imports));
    into(labels, { rows: 4, what: t('readiness'), make: async () => {
        const q = await get('/quality', null, { signal: ctx.signal });
        fill(labels, readiness(q.classes));
        fill(strips, strip(ctx, q.classes));
        fill(sensors, findings(q.classes));
    } });
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

/* Of each class: what its failures are ready for, part by part, and what is wrong with the labels. */
function readiness(classes) {
    const lines = classes.flatMap((c) => c.models.map((m, i) => h('tr', null,
        h('td', null, i ? '' : h('b', null, c.class)), h('td', null, m.component || t('whole_asset')),
        h('td', { class: 'num' }, f.count(m.failures)),
        h('td', { class: 'num' }, f.count(m.failures_with_telemetry)),
        h('td', null, t(`level_${m.level}`)), h('td', { class: 'num' }, m.missing ? f.count(m.missing) : '\u2014'),
        h('td', { class: 'nowrap' }, m.ready_about ? f.day(m.ready_about) : '\u2014'))));
    const said = classes.flatMap((c) => [`${c.class}: ${c.verdict}`,
        ...(c.label_audit.sentences || []).map((s) => `${c.class}: ${s}`)]);
    return panel({ title: t('readiness'), note: t('readiness_note'), body: [
        h('div', { class: 'body' }, h('ul', null, said.map((s) => h('li', null, s)))),
        lines.length ? tableOf([['col_class'], ['col_part'], ['col_failures', 1], ['col_with_telemetry', 1],
            ['col_level'], ['col_missing', 1], ['col_ready']], lines) : null] });
}

/* Sensor by day of one class, the one in the address or the one with most to show. */
function strip(ctx, classes) {
    const withRows = classes.filter((c) => c.strip?.sensors.length);
    const one = withRows.find((c) => c.class === ctx.query.get('class'))
        || [...withRows].sort((a, b) => b.strip.sensors.length - a.strip.sensors.length)[0];
    if (!one) return panel({ title: t('strip_title'), body: empty(t('no_findings')) });
    const { from, days, sensors, n_whole: whole, n_more: more } = one.strip;
    return panel({ title: t('strip_title'), tools: withRows.length > 1 ? segmented(t('col_class'), withRows.map(
        (c) => ({ label: f.plainName(c.class), href: ctx.href({ class: c.class }), on: c === one }))) : null,
    note: [t('strip_note', { n: whole }), more ? t('strip_more', { n: more }) : null].filter(Boolean).join('; '),
    body: h('div', { class: 'body' }, qualityStrip({ from, days, rows: sensors, label: t('strip_label', { n:
        sensors.length, cls: f.plainName(one.class) }) })), footer: stripLegend() });
}

/* Faults first, then what is worth a look. */
function findings(classes) {
    const all = classes.flatMap((c) => c.findings);
    const rows = [...all.filter((r) => r.severity === 'fault'), ...all.filter((r) => r.severity !== 'fault')];
    const total = classes.reduce((a, c) => a + c.n_findings, 0);
    return panel({ title: t('sensor_findings'), note: rows.length ? t('sensor_findings_note', { n: total }) : null,
        body: rows.length ? tableOf([['col_finding'], ['col_severity'], ['col_since']],
            rows.slice(0, SHOWN).map((r) => h('tr', null, h('td', null, r.asset === 'all' ? r.text
                : h('a', { href: `/asset/${seg(r.asset)}` }, r.text)), h('td', null, t(`severity_${r.severity}`)),
            h('td', { class: 'nowrap' }, r.from ? f.day(r.from) : '\u2014')))) : empty(t('no_findings')) });
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
