/* Night report: what the computer did by itself, how long, on how many cores, and what changed. */

import { h, clear } from './dom.js';
import { t, word } from './messages.js';
import { get, getAll, send, seg, url, onceKey } from './api.js';
import * as f from './format.js';
import * as c from './charts.js';
import { head, panel, strip, into, empty, withKey, done, errorText, dialog, failed } from './ui.js';

export async function show(ctx) {
    ctx.title(t('nav_runs'));
    const view = { ctx, timer: 0 };
    view.headBox = h('div');
    view.doneBox = h('div');
    view.box = h('div');
    clear(view.headBox, head({ title: t('nav_runs') }));
    ctx.root.append(view.headBox, view.doneBox, view.box);
    load(view);
    return { end: () => clearTimeout(view.timer) };
}

async function load(view) {
    await into(view.box, { rows: 8, what: t('nav_runs'), make: async () => {
        const list = (await getAll('/runs', { limit: 100 }, { signal: view.ctx.signal, most: 100 })).items;
        const newest = list.find((r) => r.kind === 'retrain');
        const report = newest ? await get(`/runs/${seg(newest.id)}`, null, { signal: view.ctx.signal })
            : null;
        draw(view, list, newest, report ? { ...newest, ...report, ...(report.report || {}) } : null);
        clearTimeout(view.timer);
        if (list.some((r) => r.state === 'running')) view.timer = setTimeout(() => load(view), 3000);
    } });
}

const took = (r) => (r.started && r.ended ? (new Date(r.ended) - new Date(r.started)) / 1000 : null);

function draw(view, list, newest, report) {
    const running = list.find((r) => r.state === 'running');
    const promoted = (report?.classes || []).filter((k) => k.promoted).length;
    clear(view.headBox, head({ title: t('nav_runs'), answer: report ? { lead: t(`night_${report.state}`, {
        day: f.day(report.started), took: seconds(took(report)) }), rest: t('night_promoted', {
        n: promoted }) } : { lead: t('night_none'), rest: t('night_none_rest') }, actions: [h('button', {
        class: 'btn', type: 'button', disabled: Boolean(running), on: { click: () => retrain(view) } }, t(
        'retrain_now'))] }));
    clear(view.box, running ? progress(running) : null, report ? night(report) : null, runsTable(view, list));
}

function seconds(s) {
    if (s === null || s === undefined) return '\u2014';
    if (s < 0.1) return `<${f.fixed(0.1, 1)}${f.NB}s`;
    return s < 60 ? `${f.estimate(s, 2)}${f.NB}s` : f.duration(s);
}

function progress(r) {
    const bar = h('progress', { max: r.total || 1, 'aria-label': r.stage || word('run', r.kind) });
    if (r.total) bar.value = r.done || 0;
    else bar.removeAttribute('value');
    return h('div', { class: 'panel run-now' }, h('b', null, word('run', r.kind)), ' ', r.stage || '', ' ', bar,
        ' ', r.total ? `${f.count(r.done)} / ${f.count(r.total)}` : '');
}

function night(r) {
    const stages = r.stages || [];
    const longest = Math.max(...stages.map((q) => q.seconds || 0), 0.001);
    return [strip([
        { label: t('night_when'), big: f.clock(r.started), rest: f.day(r.started), under: t('night_took', {
            took: seconds(took(r)) }) },
        { label: t('cores_used'), big: f.estimate(r.cores_used, 2), rest: '', under: '' },
        { label: t('peak_memory'), big: r.peak_rss_bytes ? `${f.count(r.peak_rss_bytes / 1048576)}${f.NB}MiB`
            : '\u2014', rest: '', under: '' },
        { label: t('rescored'), big: f.count(r.rescored), rest: t('assets_word', { n: r.rescored ?? 0 }),
            under: '' },
        { label: t('replanned'), big: f.count(r.planned), rest: t('jobs_word', { n: r.planned ?? 0 }),
            under: '' }]),
    h('div', { class: 'cols plan-cols night' },
        panel({ title: t('by_class'), note: t('promoted_only_better'), body: (r.classes || []).length ? h(
            'div', { class: 'scroll', tabindex: 0 }, h('table', null, h('thead', null, h('tr', null,
            ['col_class', 'col_target', 'col_part', 'col_champion', 'col_challenger', 'col_result',
                'col_why'].map((k) => h('th', { scope: 'col' }, t(k))))), h('tbody', null, r.classes.map(
                (k) => h('tr', null, h('td', null, h('b', null, k.class)), h('td', null, word('target',
                    k.target)), h('td', null, k.component ? f.plainName(k.component) : t('whole_asset')), h('td', null, modelText(
                    k.champion)), h('td', null, modelText(k.challenger)), h('td', { class: 'nowrap' },
                    k.promoted ? h('b', null, `↑ ${t('promoted')}`) : t('kept')), h('td', { class:
                        'small' }, k.why || '')))))) : empty(t('no_classes')) }),
        panel({ title: t('stages'), note: t('seconds_word'), body: stages.length ? h('table', null, h('tbody',
            null, stages.map((q) => h('tr', null, h('th', { scope: 'row' }, q.name), h('td', null, c.fraction(
            q.seconds / longest, 80)), h('td', { class: 'num' }, f.fixed(q.seconds, q.seconds < 10 ? 1 : 0)), h('td', { class:
                'small second' }, q.result || ''))))) : empty(t('no_stages')) }))];
}

function modelText(m) {
    if (m === null || m === undefined) return '\u2014';
    if (typeof m !== 'object') return word('model', m);
    return [word('model', m.kind), m.metric !== undefined ? f.estimate(m.metric, 3) : null].filter(Boolean)
        .join(' · ');
}

function runsTable(view, list) {
    return panel({ title: t('all_runs'), cls: 'long after', note: t('newest_first'), body: list.length ? h('div',
        { class: 'scroll', tabindex: 0 }, h('table', null, h('thead', null, h('tr', null, ['col_run',
        'col_kind', 'col_state', 'col_started', 'col_took', 'col_what'].map((k) => h('th', { scope: 'col',
        class: k === 'col_took' ? 'num' : null }, t(k))))), h('tbody', null, list.map((r) => h('tr', null,
        h('td', null, h('button', { class: 'link', type: 'button', on: { click: () => showRun(view, r) } },
            `#${r.id}`)), h('td', null, word('run', r.kind)), h('td', null, word('run_state', r.state)),
        h('td', { class: 'nowrap', title: r.started }, f.dateTime(r.started)), h('td', { class: 'num' },
            seconds(took(r))), h('td', { class: 'small' }, [r.stage, r.report?.class]
            .filter(Boolean).join(' · '))))))) : empty(t('night_none_rest')) });
}

async function showRun(view, r) {
    const box = h('div');
    const shown = dialog(`${word('run', r.kind)} #${r.id}`, box);
    try {
        const full = await get(`/runs/${seg(r.id)}`);
        clear(box, h('code', { class: 'formula' }, JSON.stringify(full, null, 2)), h('p', { class: 'small' },
            t('same_from_api'), ' ', h('code', null, url(`/runs/${seg(r.id)}`))));
    } catch (e) {
        clear(box, failed(t('col_run'), e, null));
    }
    await shown;
}

async function retrain(view) {
    try {
        const answer = await withKey(() => send('POST', '/runs', { kind: 'retrain' }, { once: onceKey() }));
        if (!answer) return;
        done(view.doneBox, t('retrain_started'));
        await load(view);
    } catch (e) {
        clear(view.doneBox, h('div', { class: 'panel' }, h('div', { class: 'failed', role: 'alert' }, h('h3',
            null, t('could_not_save')), h('p', null, errorText(e)))));
    }
}
