/* Models: which one decides, is it still right, may I trust it? */

import { h, clear } from './dom.js';
import { t, word } from './messages.js';
import { get, getAll, seg, url } from './api.js';
import * as f from './format.js';
import { head, panel, into, empty, dialog, failed } from './ui.js';

const METRICS = ['pr_auc', 'roc_auc', 'brier', 'rmse', 'rmse_capped', 'mae', 'concordance', 'logloss'];

export async function show(ctx) {
    ctx.title(t('nav_models'));
    const box = h('div');
    const headBox = h('div');
    clear(headBox, head({ title: t('nav_models') }));
    ctx.root.append(headBox, box);
    into(box, { rows: 8, what: t('nav_models'), make: async () => {
        const models = (await getAll('/models', { limit: 500 }, { signal: ctx.signal })).items;
        const champions = models.filter((m) => m.state === 'champion');
        const off = models.filter((m) => m.state === 'off');
        clear(headBox, head({ title: t('nav_models'), answer: models.length ? {
            lead: t('models_lead', { n: champions.length }), rest: t('models_rest', { n: off.length }) }
            : null }));
        if (!models.length) {
            return panel({ title: t('nav_models'), body: empty(t('empty_models')) });
        }
        const rest = models.filter((m) => m.state !== 'champion').sort((a, b) => (b.created_at
            || '').localeCompare(a.created_at || ''));
        return h('div', { class: 'stack' }, group(t('models_champions'), champions, ctx),
            rest.length ? group(t('models_others'), rest.slice(0, 60), ctx) : null);
    } });
    return {};
}

const num = (v, k) => (v === null || v === undefined ? '\u2014' : k.startsWith('rmse') || k === 'mae'
    ? f.fixed(v, 1) : f.fixed(v, 3));

/* The metric that decides a model, and the age-only baseline's value of the same. */
function leading(m) {
    const q = m.metrics || {};
    const own = { ...q, ...(q.cv || {}) };
    const name = q.score_metric || METRICS.find((k) => typeof own[k] === 'number');
    const value = q.score_metric ? q.score : own[name];
    if (typeof value !== 'number') return null;
    const base = typeof q.baseline?.[name] === 'number' ? q.baseline[name] : null;
    return { name, value, base };
}

function group(title, models, ctx) {
    return panel({ title, cls: 'long', note: t('n_models', { n: models.length }), body: h('div', { class:
        'scroll', tabindex: 0 }, h('table', null, h('thead', null, h('tr', null, ['col_class', 'col_target',
        'col_part', 'col_model', 'col_state', 'col_metric', 'col_here', 'col_age_only', 'col_since',
        'col_why'].map((k) => h('th', { scope: 'col', class: k === 'col_here' || k === 'col_age_only'
            ? 'num' : null }, t(k))))), h('tbody', null, models.map((m) => {
        const l = leading(m);
        return h('tr', null, h('td', null, h('b', null, m.class)), h('td', { class: 'nowrap' }, word(
            'target', m.target), m.horizon_s ? h('span', { class: 'muted' }, ` · ${f.duration(
            m.horizon_s)}`) : null), h('td', null, m.component ? f.plainName(m.component) : t('whole_asset')), h('td', { class: 'nowrap' }, h(
            'button', { class: 'link', type: 'button', on: { click: () => card(m, ctx) } }, word('model',
            m.kind))), h('td', null, word('model_state', m.state)), h('td', { class: 'second nowrap' }, l ? word(
            'metric', l.name) : '\u2014'), h('td', { class: 'num' }, h('b', null, l ? num(l.value, l.name)
            : '\u2014')), h('td', { class: 'num second' }, l ? num(l.base, l.name) : '\u2014'),
        h('td', { class: 'nowrap' }, f.day(m.created_at)), h('td', { class: 'small' }, m.reason
            || ''));
    })))) });
}

async function card(m, ctx) {
    const box = h('div');
    const shown = dialog(`${m.class} · ${word('model', m.kind)}`, box);
    try {
        const full = await get(`/models/${seg(m.id)}`, null, { signal: ctx.signal });
        clear(box, modelCard({ ...m, ...full }));
    } catch (e) {
        clear(box, failed(t('col_model'), e, null), modelCard(m));
    }
    await shown;
}

function modelCard(m) {
    const rows = [['col_state', word('model_state', m.state)], ['col_why', m.reason], ['until', f.dateTime(
        m.until)], ['seed', m.seed], ['build', m.build], ['fingerprint', m.fingerprint], ['model_sha256',
        m.sha256]];
    const flat = Object.entries({ ...m.metrics, ...(m.metrics?.cv || {}) }).filter(([k, v]) => typeof v === 'number'
        && k !== 'score' && k !== 'folds');
    const features = (m.features || []).map((x) => (typeof x === 'string' ? x : x.name || JSON.stringify(
        x)));
    return [h('dl', { class: 'kv' }, rows.filter(([, v]) => v !== null && v !== undefined && v !== '').map(
        ([k, v]) => [h('dt', null, t(k)), h('dd', null, String(v))])),
    flat.length ? h('details', { class: 'as-table', open: true }, h('summary', null, t('metrics')), h('table',
        { class: 'tight' }, h('thead', null, h('tr', null, h('th', null, t('col_metric')), h('th',
            { class: 'num' }, t('col_here')), h('th', { class: 'num' }, t('col_age_only')))), h('tbody', null,
            flat.map(([k, v]) => h('tr', null, h('th', { scope: 'row' }, word('metric', k)), h('td',
                { class: 'num' }, f.estimate(v, 4)), h('td', { class: 'num' }, f.estimate(m.metrics
                .baseline?.[k], 4))))))) : null,
    features.length ? h('details', { class: 'as-table' }, h('summary', null, t('n_features', { n:
        features.length })), h('ul', null, features.map((x) => h('li', { class: 'small' }, x)))) : null,
    h('p', { class: 'small' }, t('same_from_api'), ' ', h('a', { href: url(`/models/${seg(m.id)}`),
        target: '_blank', rel: 'noopener' }, h('code', null, url(`/models/${seg(m.id)}`))))];
}
