/* ROI: does it pay, how sure, and on what does that hang? An input that is changed goes to the server
 * at once; the page shows the new result and the change against the site's own case. */

import { h, clear } from './dom.js';
import { t, has } from './messages.js';
import { get, send, url } from './api.js';
import * as f from './format.js';
import * as c from './charts.js';
import { glyph } from './glyphs.js';
import { head, setAnswer, panel, strip, into, empty, figure, dialog, errorText } from './ui.js';

const WAIT = 120;     /* ms after the last key before the server is asked */
const TORNADO = 10;   /* bars; the inputs below them move the answer little */
const ORIGIN = { history: 'history', model: 'model_input', typed: 'typed', default: 'default' };

export async function show(ctx) {
    ctx.title(t('nav_roi'));
    const view = { ctx, own: null, input: null, result: null };
    view.answer = null;
    view.headBox = h('div');
    view.stripBox = h('div');
    view.body = h('div', { class: 'panel' });
    view.years = h('div');
    ctx.root.append(view.headBox, view.stripBox, view.body, view.years);
    drawHead(view);
    clear(view.stripBox, strip(['npv', 'pays', 'payback', 'return', 'act'].map((k) => ({
        label: t(`roi_${k}`, { n: 5 }), big: '\u00a0', under: '' }))));
    const outer = h('div');
    ctx.root.replaceChild(outer, view.body);
    await into(outer, { rows: 9, what: t('nav_roi'), make: async () => {
        const answer = await get('/roi', null, { signal: ctx.signal });
        view.own = answer.input || {};
        view.base = answer.result || answer;
        view.input = structuredClone(view.own);
        restore(view);
        view.result = view.base;
        return layout(view);
    } });
    if (view.result) {
        drawResult(view);
        if (Object.keys(changed(view)).length) recompute(view);
    }
    return { update: (next) => { view.ctx = next; }, end: () => clearTimeout(view.timer) };
}

/* The fields of a case, {name: {value, low, high, unit, origin, source, label}}. */
const bag = (input) => input.inputs || {};
const fields = (input) => Object.entries(bag(input)).filter(([, v]) => v && typeof v.value === 'number');

function changed(view) {
    return Object.fromEntries(fields(view.input).filter(([k, v]) => v.value !== bag(view.own)[k].value)
        .map(([k, v]) => [k, v.value]));
}

/* Typed values stand in the URL, so that reload, share and Back keep the case. */
function restore(view) {
    for (const [k, v] of view.ctx.query) {
        const x = Number(v);
        if (k.startsWith('in.') && bag(view.input)[k.slice(3)] && Number.isFinite(x)) {
            setValue(view, k.slice(3), x);
        }
    }
}

/* A typed value keeps the relative width of its range, so that the doubt about it is not lost. */
function setValue(view, name, value) {
    const own = bag(view.own)[name];
    const next = { ...own, value };
    if (value !== own.value) {
        next.origin = 'typed';
        next.source = '';
        for (const k of ['distribution', 'a', 'b']) delete next[k];
        const k = own.value ? value / own.value : 1;
        const most = isShare(name, own) ? 1 : Infinity;
        next.low = own.value ? Math.min(value, (own.low ?? own.value) * k) : value;
        next.high = own.value ? Math.max(value, Math.min(most, (own.high ?? own.value) * k)) : value;
    }
    bag(view.input)[name] = next;
}

const isShare = (name, v) => v.unit === 'share' || /(^|_)(share|rate|inflation)$/.test(name);
const asPercent = isShare;

function labelOf(view, name) {
    if (has(`roi_in_${name}`)) return t(`roi_in_${name}`);
    return bag(view.own)[name]?.label || name.replaceAll('_', ' ');
}

function shown(name, v, x) {
    if (x === null || x === undefined) return '\u2014';
    if (asPercent(name, v)) return f.percent(x, x < 0.1 && x > 0 ? 1 : 0);
    return f.estimate(x, 4);
}

/* "currency/h" is the case's currency an hour. */
const unitOf = (v) => (v.unit || '').replace('currency', f.currency()).replace(/^(count|share|1\/year)$/,
    '');

function drawHead(view) {
    const n = view.input ? Object.keys(changed(view)).length : 0;
    clear(view.headBox, head({ title: t('nav_roi'), answer: view.result?.answer, actions: [
        n ? h('button', { class: 'btn', type: 'button', on: { click: () => reset(view) } }, t('roi_reset'))
            : null,
        h('button', { class: 'btn', type: 'button', on: { click: () => print() } }, t('print')),
        h('button', { class: 'btn', type: 'button', on: { click: () => saveCase(view) } },
            t('roi_save'))].filter(Boolean) }));
}

function reset(view) {
    view.input = structuredClone(view.own);
    view.result = view.base;
    history.replaceState(null, '', location.pathname);
    clear(view.inputBox, inputList(view));
    drawResult(view);
}

/* The whole input as a file that `fettle roi --input` takes. */
function saveCase(view) {
    if (!view.input) return;
    const href = URL.createObjectURL(new Blob([JSON.stringify(view.input, null, 2)],
        { type: 'application/json' }));
    const a = h('a', { href, download: 'roi.json' });
    document.body.append(a);
    a.click();
    a.remove();
    setTimeout(() => URL.revokeObjectURL(href), 1000);
}

function layout(view) {
    view.inputBox = h('div');
    view.middle = h('div', { class: 'stack' });
    view.third = h('div', { class: 'stack third' });
    clear(view.inputBox, inputList(view));
    return h('div', { class: 'cols roi-cols' }, panel({ title: t('roi_inputs'), cls: 'long',
        note: t('roi_inputs_note', { unit: f.currency() }), body: view.inputBox,
        footer: h('span', { class: 'legend' }, Object.entries(ORIGIN).map(([k, g]) => h('span', null,
            glyph(g, 10), t(`origin_${k}_long`)))) }), view.middle, view.third);
}

/* What the case counts, and behind a fold what it leaves at zero. */
function inputList(view) {
    const all = fields(view.input);
    const isUsed = ([k, v]) => v.value !== 0 || bag(view.own)[k].value !== 0;
    const unused = all.filter((x) => !isUsed(x));
    return [h('ul', { class: 'inputs' }, all.filter(isUsed).map((x) => inputRow(view, x))),
        unused.length ? h('details', { class: 'as-table body' }, h('summary', null, t('roi_more_inputs',
            { n: unused.length })), h('ul', { class: 'inputs' }, unused.map((x) => inputRow(view, x))))
            : null];
}

function inputRow(view, [name, v]) {
    const id = `in-${name}`;
    const percent = asPercent(name, v);
    const now = () => bag(view.input)[name];
    const nice = () => f.estimate(percent ? now().value * 100 : now().value, 4)
        + (percent ? `${f.NB}%` : '');
    const box = h('input', { id, type: 'text', inputmode: 'decimal', autocomplete: 'off',
        value: nice() });
    const bad = h('p', { class: 'bad-text', hidden: true, id: `${id}-bad` });
    const li = h('li', { class: v.value !== bag(view.own)[name].value ? 'changed' : null },
        h('div', null, h('label', { for: id }, labelOf(view, name)), originOf(v)), box,
        h('span', { class: 'range' }, rangeText(name, v)), bad);
    box.addEventListener('focus', () => {
        box.value = String(Number((percent ? now().value * 100 : now().value).toPrecision(8)));
        box.select();
    });
    box.addEventListener('blur', () => {
        if (!box.classList.contains('bad')) box.value = nice();
    });
    box.addEventListener('input', () => onInput(view, name, percent, box, bad, li));
    return li;
}

function originOf(v) {
    const origin = v.origin in ORIGIN ? v.origin : 'default';
    const source = origin === 'default' ? t('replace_me') : v.source;
    return h('span', { class: 'origin', title: v.source || null }, glyph(ORIGIN[origin], 10),
        h('span', { class: 'cut' }, [t(`origin_${origin}`), source].filter(Boolean).join(' · ')));
}

function rangeText(name, v) {
    if (v.low === null || v.low === undefined || v.high === null || v.high === undefined
        || v.low === v.high) return unitOf(v);
    if (asPercent(name, v)) {
        return `${f.count(v.low * 100)}\u2013${f.percent(v.high)}`;
    }
    if (v.high < 10000) return f.range(v.low, v.high, (x) => f.estimate(x));
    const [divisor, k] = f.scaleOf(v.high);
    return f.range(v.low, v.high, (x) => f.scaled(x, [divisor, ''])) + f.NB + k;
}

function parse(text) {
    const clean = text.replace(/[\s\u00a0%]/g, '').replace(/\u2212/g, '-');
    const x = Number(/^-?\d{1,3}(,\d{3})+(\.\d+)?$/.test(clean) ? clean.replaceAll(',', '')
        : clean.replace(',', '.'));
    return clean === '' ? NaN : x;
}

function onInput(view, name, percent, box, bad, li) {
    const x = parse(box.value) / (percent ? 100 : 1);
    const isBad = !Number.isFinite(x) || x < 0 || (percent && x > 1);
    box.classList.toggle('bad', isBad);
    bad.hidden = !isBad;
    box.setAttribute('aria-invalid', isBad ? 'true' : 'false');
    if (isBad) {
        bad.textContent = t(percent ? 'roi_bad_percent' : 'roi_bad_number');
        box.setAttribute('aria-describedby', bad.id);
        return;
    }
    setValue(view, name, x);
    li.classList.toggle('changed', x !== bag(view.own)[name].value);
    li.querySelector('.origin').replaceWith(originOf(bag(view.input)[name]));
    li.querySelector('.range').textContent = rangeText(name, bag(view.input)[name]);
    clearTimeout(view.timer);
    view.timer = setTimeout(() => recompute(view), WAIT);
}

async function recompute(view) {
    const q = new URLSearchParams();
    for (const [k, v] of Object.entries(changed(view))) q.set(`in.${k}`, String(v));
    history.replaceState(null, '', location.pathname + (q.toString() ? `?${q}` : ''));
    view.abort?.abort();
    view.abort = new AbortController();
    try {
        const { body } = await send('POST', '/roi', view.input, { signal: view.abort.signal });
        view.result = body.result || body;
        drawResult(view);
    } catch (e) {
        if (e.name === 'AbortError') return;
        setAnswer(view.headBox.querySelector('.answer'), { lead: errorText(e), rest: '' });
    }
}

/* --- result --------------------------------------------------------------------------------- */

function against(view, now, before) {
    if (view.result === view.base || now === null || before === null || now === undefined
        || before === undefined) return null;
    const d = now - before;
    return h('span', { class: d < 0 ? 'loss' : d > 0 ? 'gain' : 'muted' }, t('roi_against',
        { v: f.change(d) }));
}

function drawResult(view) {
    const r = view.result;
    drawHead(view);
    clear(view.stripBox, figures(view));
    const cash = r.percentiles?.cash || [];
    clear(view.middle,
        panel({ title: t('roi_cash'), note: t('roi_cash_note', { unit: f.currency() }), body: h('div',
            { class: 'body' }, c.cashBand({ cash, years: r.years || [],
                payback: r.discounted_payback_years ?? r.payback_years })) }),
        panel({ title: t('roi_tornado'), note: t('roi_tornado_note'), body: (r.tornado || []).length
            ? h('div', { class: 'body' }, c.tornado({ rows: r.tornado.slice(0, TORNADO), npv: r.npv, name: (k) => labelOf(view, k),
                show: (k, x) => (x === null || x === undefined ? '' : shown(k, bag(view.input)[k]
                    || { unit: '' }, x)) })) : empty(t('roi_no_tornado')) }));
    clear(view.third, breakEven(view), formulas(r), leftOut(r));
    clear(view.years, yearTable(r));
}

function figures(view) {
    const r = view.result;
    const b = view.base;
    const p = r.percentiles?.npv || {};
    const pay = r.percentiles?.payback_years || {};
    const years = Math.max(1, (r.years || []).length - ((r.years || [])[0]?.year === 0 ? 1 : 0));
    const find = (name) => (r.formulas || []).find((x) => x.name.toLowerCase().includes(name))?.text;
    const has_p = p.p10 !== undefined && p.p10 !== null;
    const cells = [
        { label: t('roi_npv', { n: years }), big: figure(f.moneyShort(r.npv), () => ({
            title: t('roi_npv', { n: years }), formula: find('npv'), call: url('/roi'),
            inputs: Object.entries(p).map(([k, v]) => [`${k.slice(1)} %`, f.money(v)]) })),
        rest: has_p ? rangeShort(p.p10, p.p90) : '',
        under: against(view, r.npv, b.npv) || (has_p ? t('roi_draws') : '') },
        { label: t('roi_pays'), big: f.percent(r.p_npv_positive), rest: '',
            under: r.p_npv_positive === null || r.p_npv_positive === undefined ? '' : [t('roi_lose', {
                n: Math.round(100 * (1 - r.p_npv_positive)) }), p.p5 !== undefined && p.p5 !== null
                ? `; ${t('roi_p5', { v: f.moneyShort(p.p5) })}` : ''] },
        { label: t('roi_payback'), big: r.payback_years === null || r.payback_years === undefined
            ? t('roi_never') : t('n_years', { n: f.fixed(r.payback_years, 1) }),
        rest: pay.p10 !== undefined && pay.p10 !== null && pay.p90 !== null ? f.range(pay.p10, pay.p90,
            (v) => f.fixed(v, 1)) : '', under: [t('roi_payback_under'),
            r.discounted_payback_years === null || r.discounted_payback_years === undefined ? ''
                : t('roi_payback_discounted', { n: f.fixed(r.discounted_payback_years, 1) })] },
        { label: t('roi_return'), big: r.irr === null || r.irr === undefined ? t('none')
            : f.percent(r.irr), rest: t('roi_irr'), under: r.irr_note || (r.bcr !== null
            && r.bcr !== undefined ? t('roi_bcr', { v: f.estimate(r.bcr, 2) }) : '') },
    ];
    if (r.p_star !== null && r.p_star !== undefined) {
        cells.push({ label: t('roi_act'), big: f.percent(r.p_star, 1), rest: '', under: t('roi_act_under') });
    }
    return strip(cells);
}

function rangeShort(a, b) {
    const scale = f.scaleOf(Math.max(Math.abs(a), Math.abs(b)));
    const unit = scale[1] ? f.NB + scale[1] : '';
    const sep = a < 0 ? ' … ' : '\u2013';
    return `${f.scaled(a, [scale[0], ''])}${sep}${f.scaled(b, [scale[0], ''])}${unit}`;
}

function breakEven(view) {
    const rows = view.result.break_even || [];
    return panel({ title: t('roi_break_even'), note: t('roi_npv_zero'), body: rows.length ? h('table',
        null, h('tbody', null, rows.map((q) => {
        const v = bag(view.input)[q.input] || { unit: '' };
        return h('tr', null, h('th', { scope: 'row' }, t(q.direction === 'at_most' ? 'at_most'
            : 'at_least', { input: labelOf(view, q.input) })), h('td', { class: 'num' }, h('b', null,
            q.value === null ? t('none') : shown(q.input, v, q.value))), h('td',
            { class: 'num muted small' }, t('roi_now', { v: shown(q.input, v, q.now) })));
    }))) : empty(t('roi_no_break_even')) });
}

function formulas(r) {
    const list = r.formulas || [];
    if (!list.length) return null;
    return panel({ title: t('roi_formulas'), body: h('div', { class: 'body' }, h('p', null,
        t('roi_formulas_text')), h('button', { class: 'link', type: 'button', on: { click: () => dialog(
        t('roi_formulas'), h('dl', null, list.map((x) => [h('dt', null, x.name), h('dd', null, h('code',
            { class: 'formula' }, x.text))]))) } }, t('roi_show_formulas'))) });
}

function leftOut(r) {
    return r.left_out ? panel({ title: t('roi_left_out'), body: h('div', { class: 'body second' }, h('p',
        null, r.left_out)) }) : null;
}

function yearTable(r) {
    const years = r.years || [];
    if (!years.length) return null;
    const scale = f.scaleOf(Math.max(...years.map((y) => Math.abs(y.cumulative ?? 0)), 1));
    const rows = ['failures_avoided', 'false_alarms', 'other_benefit', 'running', 'tax', 'net', 'discounted',
        'cumulative'].filter((k) => years.some((y) => y[k]));
    const figure_ = (v) => f.scaled(v, [scale[0], '']);
    const sum = (k) => (k === 'cumulative' ? years[years.length - 1][k]
        : years.reduce((a, y) => a + (y[k] || 0), 0));
    return h('div', { class: 'years' }, panel({ title: t('roi_years'), note: t(`scale_${scale[1]
        || 'one'}`, { unit: f.currency() }), body: h('div', { class: 'scroll', tabindex: 0 }, h('table',
        { class: 'tight' }, h('thead', null, h('tr', null, h('th', { scope: 'col' }), years.map((y) => h(
            'th', { scope: 'col', class: 'num' }, y.year === 0 ? t('start_cap') : t('year_cap',
                { year: y.year }))), h('th', { scope: 'col', class: 'num' }, t('sum')))), h('tbody', null,
        rows.map((k) => h('tr', { class: k === 'net' ? 'sum' : null }, h('th', { scope: 'row' }, t(
            `roi_row_${k}`)), years.map((y) => h('td', { class: 'num' }, k === 'cumulative' ? h('b', null,
            figure_(y[k])) : figure_(y[k]))), h('td', { class: 'num' }, h('b', null, figure_(sum(k))))))))) }));
}

