/* Sensor lanes over one time axis: dygraphs draws the lines, the rest is ours. Zoom, cursor and events
 * are shared. Without its legend and label plug-ins dygraphs writes no markup but axis figures, and no
 * style attributes, so the strict content policy holds. */

import { h, s, clear, place } from './dom.js';
import { t, word } from './messages.js';
import { get } from './api.js';
import * as f from './format.js';
import { ticks as roundTicks } from './charts.js';
import { sensorName, capital } from './format.js';
import { dialog, errorText } from './ui.js';

const LEFT = 52;      /* px of the y axis in every lane */
const RIGHT = 50;     /* px for the last value */
const GAP_STEPS = 3;  /* a gap is longer than this many usual steps */
const MERGE_PX = 16;  /* markers nearer than this become one */
const DAY = 86400000;

let loadingScript = null;

/* Loads dygraphs once, on the first page that needs it. */
function dygraphs() {
    loadingScript ||= new Promise((done, fail) => {
        const script = h('script', { src: '/static/dygraph.min.js' });
        script.addEventListener('load', () => {
            const D = window.Dygraph;
            D.PLUGINS = D.PLUGINS.filter((p) => p !== D.Plugins.Legend
                && p !== D.Plugins.ChartLabels);
            done(D);
        });
        script.addEventListener('error', () => {
            loadingScript = null;
            fail(new Error('/static/dygraph.min.js'));
        });
        document.head.append(script);
    });
    return loadingScript;
}

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/* UTC instant of midnight of an ISO day in the site's zone. */
function midnight(iso) {
    const utc = Date.parse(`${iso}T00:00:00Z`);
    for (const offset of [0, ...Array.from({ length: 27 }, (x, i) => (i - 12) * 3600000)]) {
        const d = new Date(utc - offset);
        if (f.isoDay(d) === iso && f.isoDay(new Date(d.getTime() - 1000)) !== iso) return d.getTime();
    }
    return utc;
}

function dateTicks(min, max, pixels) {
    const room = Math.max(2, pixels / 100);
    const d = (max - min) / DAY;
    if (d / room < 0.5) {
        const step = [1, 2, 3, 6, 12].find((k) => (d * 24) / k <= room) || 12;
        const out = [];
        for (let x = midnight(f.isoDay(new Date(min))); x <= max; x += step * 3600000) {
            if (x >= min) {
                const isDay = f.clock(new Date(x)).replace(/\D/g, '').match(/^(0000|12)/) && f.isoDay(
                    new Date(x)) !== f.isoDay(new Date(x - 1000));
                out.push({ v: x, label: isDay ? f.dayShort(new Date(x)) : f.clock(new Date(x)) });
            }
        }
        return out;
    }
    const months = [1, 2, 3, 6, 12, 24].find((k) => d / 30.4 / k <= room) || 48;
    const days = [1, 2, 7, 14].find((k) => d / k <= room);
    const out = [];
    let iso = f.isoDay(new Date(min));
    if (days) {
        for (; ; iso = f.addDays(iso, days)) {
            const v = midnight(iso);
            if (v > max) return out;
            if (v >= min) out.push({ v, label: f.dayShort(new Date(v + 43200000)) });
        }
    }
    let [y, m] = iso.split('-').map(Number);
    m = Math.floor((m - 1) / months) * months;
    for (let i = 0; i < 400; i++, m += months) {
        y += Math.floor(m / 12);
        m %= 12;
        const v = midnight(`${y}-${String(m + 1).padStart(2, '0')}-01`);
        if (v > max) break;
        if (v >= min) {
            out.push({ v, label: months >= 12 ? String(y) : f.dayShort(new Date(v + 43200000)) });
        }
    }
    return out;
}

/* Rows for dygraphs, [Date, [low, mid, high]], with a break in each gap; and the gaps themselves. */
function toRows(answer, end) {
    const points = answer.items.map((q) => {
        const v = 'value' in q ? [q.value, q.value, q.value] : [q.min, q.mean, q.max];
        return [new Date(q.at), v.map((x) => (x === null || x === undefined ? null : x))];
    }).filter((p) => p[1][1] !== null);
    const steps = points.slice(1).map((p, i) => p[0] - points[i][0]).sort((a, b) => a - b);
    const usual = steps.length ? steps[Math.floor(steps.length / 2)] : 0;
    const rows = [];
    const gaps = [];
    points.forEach((p, i) => {
        const before = points[i - 1];
        if (before && usual && p[0] - before[0] > GAP_STEPS * usual) {
            gaps.push([before[0].getTime(), p[0].getTime()]);
            rows.push([new Date(before[0].getTime() + usual), [null, null, null]]);
        }
        rows.push(p);
    });
    const last = points.length ? points[points.length - 1] : null;
    if (last && usual && end - last[0] > GAP_STEPS * usual && end - last[0] > 3600000) {
        gaps.push([last[0].getTime(), end]);
    }
    return { rows, gaps, last, usual };
}

/* The span of normal range and data: kept while panning. */
function valueSpan(lane) {
    const v = lane.data.rows.flatMap((r) => [r[1][0], r[1][2]]).filter((x) => x !== null);
    if (lane.sensor.baseline) v.push(lane.sensor.baseline.low, lane.sensor.baseline.high);
    if (!v.length) return [0, 1];
    const lo = v.reduce((a, b) => Math.min(a, b));
    const hi = v.reduce((a, b) => Math.max(a, b));
    const pad = (hi - lo || Math.abs(hi) || 1) * 0.08;
    return [lo >= 0 && lo - pad < 0 ? 0 : lo - pad, hi + pad];
}

function hatch(ctx, x, y, w, height) {
    ctx.save();
    ctx.beginPath();
    ctx.rect(x, y, w, height);
    ctx.clip();
    ctx.strokeStyle = css('--line');
    ctx.lineWidth = 1;
    ctx.beginPath();
    for (let k = x - height; k < x + w; k += 7) {
        ctx.moveTo(k, y + height);
        ctx.lineTo(k + height, y);
    }
    ctx.stroke();
    ctx.restore();
}

function underlay(lane, ctx, area, g) {
    const b = lane.sensor.baseline;
    if (b) {
        const top = g.toDomYCoord(b.high);
        ctx.fillStyle = css('--range');
        ctx.fillRect(area.x, top, area.w, Math.max(1, g.toDomYCoord(b.low) - top));
    }
    for (const [from, to] of lane.data.gaps) {
        const x0 = Math.max(area.x, g.toDomXCoord(from));
        const x1 = Math.min(area.x + area.w, g.toDomXCoord(to));
        if (x1 - x0 < 1) continue;
        hatch(ctx, x0, area.y, x1 - x0, area.h);
        const label = t('no_data_for', { d: f.duration((to - from) / 1000) });
        ctx.font = '11px Inter, system-ui, sans-serif';
        const width = ctx.measureText(label).width + 6;
        if (width > Math.max(x1 - x0, 24) + 44) continue;
        const mid = Math.max(area.x + width / 2, Math.min(area.x + area.w - width / 2, (x0 + x1) / 2));
        ctx.fillStyle = css('--surface');
        ctx.fillRect(mid - width / 2, area.y + 1, width, 14);
        ctx.fillStyle = css('--text-3');
        ctx.textAlign = 'center';
        ctx.fillText(label, mid, area.y + 12);
    }
}

/* One set of lanes. sensors: of the asset page; events: timeline items; end: the site's now, ms. */
export function sensorLanes({ asset, sensors, events, from, end, signal }) {
    const set = { asset, lanes: [], events, from, to: end, full: [from, end], end, signal,
        cursor: null };
    set.eventBox = h('div', { class: 'events', role: 'group', 'aria-label': t('events') });
    set.drops = s('svg', { class: 'drops', 'aria-hidden': 'true' });
    set.readout = h('div', { class: 'readout', 'aria-live': 'off' });
    set.box = h('div', { class: 'lanes', tabindex: 0, role: 'group', 'aria-label': t('lanes_label'),
        on: { keydown: (e) => onKey(set, e) } }, set.eventBox, set.drops);
    sensors.forEach((sensor, i) => {
        const lane = { sensor, isLast: i === sensors.length - 1, data: { rows: [], gaps: [] } };
        lane.resolution = h('span');
        lane.plot = h('div', { class: 'plot' });
        lane.over = s('svg', { class: 'over chart', 'aria-hidden': 'true' });
        lane.el = h('div', { class: 'lane' }, h('div', { class: 'lane-title' }, h('b', null,
            sensorName(sensor.name)), f.unit(sensor.unit) ? h('span', null, f.unit(sensor.unit)) : null,
        lane.resolution), h('div', { class: 'plot-box' }, lane.plot, lane.over));
        if (lane.isLast) place(lane.plot, { height: '134px' });
        set.lanes.push(lane);
        set.box.append(lane.el);
    });
    set.box.append(set.readout);
    const recolour = () => set.lanes.forEach((l) => l.g?.updateOptions({ colors: [css('--data')] }));
    addEventListener('fettle-theme', recolour);
    set.end_ = () => {
        removeEventListener('fettle-theme', recolour);
        set.lanes.forEach((l) => l.g?.destroy());
    };
    load(set).catch((e) => {
        if (e.name !== 'AbortError') clear(set.readout, errorText(e));
    });
    return { box: set.box, end: set.end_ };
}

async function readings(set, lane) {
    const width = Math.max(200, lane.plot.clientWidth - LEFT - RIGHT);
    return get('/readings', { asset: set.asset, sensor: lane.sensor.name,
        from: set.from === null ? null : new Date(set.from).toISOString(),
        to: new Date(set.to + 1).toISOString(), points: Math.min(1000, width) },
    { signal: set.signal });
}

async function load(set) {
    const [D, ...answers] = await Promise.all([dygraphs(), ...set.lanes.map((l) => readings(set, l))]);
    if (!set.box.isConnected) return;
    if (set.from === null) {
        const first = answers.map((a) => a.items[0]?.at).filter(Boolean).map((x) => new Date(x));
        set.from = first.length ? Math.min(...first) : set.to - 30 * DAY;
        set.full[0] = set.from;
    }
    set.lanes.forEach((lane, i) => {
        lane.data = toRows(answers[i], set.end);
        lane.resolution.textContent = answers[i].resolution && answers[i].resolution !== 'raw'
            ? answers[i].resolution : '';
        draw(set, lane, D);
    });
    drawEvents(set);
}

function draw(set, lane, D) {
    const [lo, hi] = valueSpan(lane);
    const rows = lane.data.rows.length ? lane.data.rows
        : [[new Date(set.from), [null, null, null]], [new Date(set.to), [null, null, null]]];
    if (!lane.data.rows.length) lane.data.gaps = [[set.from, set.to]];
    lane.span = [lo, hi];
    lane.g = new D(lane.plot, rows, {
        labels: ['t', 'v'], customBars: true, colors: [css('--data')], fillAlpha: 0.22,
        strokeWidth: 1.4, dateWindow: [set.from, set.to], valueRange: [lo, hi],
        rightGap: RIGHT, xRangePad: 0, labelsUTC: true, legend: 'never', highlightCircleSize: 3,
        gridLineColor: css('--grid'), axisLineColor: 'transparent', drawGapEdgePoints: true,
        axes: {
            x: { drawGrid: false, drawAxis: lane.isLast, axisLabelWidth: 76,
                ticker: (a, b, px) => dateTicks(a, b, px) },
            y: { axisLabelWidth: LEFT - 6, ticker: (a, b) => roundTicks(a, b, 3).map((v) => ({ v,
                label: f.estimate(v, 4) })) },
        },
        underlayCallback: (ctx, area, g) => underlay(lane, ctx, area, g),
        drawCallback: (g) => {
            g.updateOptions({ gridLineColor: css('--grid') }, true);
            drawOver(set, lane, g);
            if (lane === set.lanes[0] && set.ready) drawEvents(set);
        },
        zoomCallback: (a, b) => zoom(set, a, b),
        highlightCallback: (e, x) => cursor(set, x),
        unhighlightCallback: () => cursor(set, null),
    });
    if (lane.isLast) set.ready = true;
}

/* Last value, bold at the right end; and the cursor. */
function drawOver(set, lane, g) {
    const area = g.getArea();
    clear(lane.over);
    const { last } = lane.data;
    if (last && last[0] >= set.from && last[0] <= set.to) {
        const x = g.toDomXCoord(last[0].getTime());
        const y = g.toDomYCoord(last[1][1]);
        lane.over.append(s('circle', { class: 'k-dot', cx: x, cy: y, r: 3 }), s('text', {
            x: area.x + area.w + 6, y: Math.max(12, y + 4), class: 'strong' }, f.estimate(last[1][1])));
    }
    if (set.cursor !== null) {
        const x = g.toDomXCoord(set.cursor);
        if (x >= area.x && x <= area.x + area.w) {
            lane.over.append(s('line', { class: 'k-axis', x1: x, x2: x, y1: 0, y2: area.y + area.h }));
        }
    }
}

function nearest(rows, x) {
    let a = 0;
    let b = rows.length - 1;
    while (b - a > 1) {
        const m = (a + b) >> 1;
        if (rows[m][0] < x) a = m;
        else b = m;
    }
    const pick = rows[Math.abs(rows[a]?.[0] - x) < Math.abs(rows[b]?.[0] - x) ? a : b];
    return pick || null;
}

function cursor(set, x) {
    set.cursor = x;
    for (const lane of set.lanes) if (lane.g) drawOver(set, lane, lane.g);
    if (x === null) {
        set.readout.textContent = '';
        return;
    }
    const values = set.lanes.map((l) => {
        const p = nearest(l.data.rows, x);
        const near = p && Math.abs(p[0] - x) <= Math.max(l.data.usual * GAP_STEPS, 1);
        const v = near && p[1][1] !== null ? `${f.estimate(p[1][1], 4)}${f.unit(l.sensor.unit)
            ? f.NB + f.unit(l.sensor.unit) : ''}` : t('no_data_word');
        return `${sensorName(l.sensor.name)} ${v}`;
    });
    set.readout.textContent = `${f.dateTime(new Date(x))}: ${values.join(' · ')}`;
}

/* Zooms every lane, then asks for finer readings of the span. */
function zoom(set, a, b) {
    const min = 10 * 60000;
    if (b - a < min) [a, b] = [(a + b - min) / 2, (a + b + min) / 2];
    set.from = Math.max(set.full[0], a);
    set.to = Math.min(set.full[1], b);
    for (const l of set.lanes) l.g?.updateOptions({ dateWindow: [set.from, set.to] });
    clearTimeout(set.timer);
    set.timer = setTimeout(async () => {
        try {
            const answers = await Promise.all(set.lanes.map((l) => readings(set, l)));
            set.lanes.forEach((lane, i) => {
                if (!answers[i].items.length) return;
                lane.data = toRows(answers[i], set.end);
                lane.resolution.textContent = answers[i].resolution === 'raw' ? ''
                    : answers[i].resolution || '';
                lane.g?.updateOptions({ file: lane.data.rows, dateWindow: [set.from, set.to] });
            });
        } catch (e) {
            if (e.name !== 'AbortError') set.readout.textContent = errorText(e);
        }
    }, 250);
}

function onKey(set, e) {
    if (e.target !== set.box) return;
    const span = set.to - set.from;
    const move = { ArrowLeft: -1, ArrowRight: 1 }[e.key];
    if (move && e.shiftKey) {
        const by = Math.max(set.full[0] - set.from, Math.min(set.full[1] - set.to, move * span * 0.2));
        zoom(set, set.from + by, set.to + by);
    } else if (move) {
        const x = (set.cursor ?? set.to) + (move * span) / 200;
        cursor(set, Math.max(set.from, Math.min(set.to, x)));
    } else if (e.key === '+' || e.key === '=') {
        zoom(set, set.from + span * 0.25, set.to - span * 0.25);
    } else if (e.key === '-') {
        zoom(set, set.from - span * 0.5, set.to + span * 0.5);
    } else if (e.key === '0') {
        zoom(set, ...set.full);
    } else {
        return;
    }
    e.preventDefault();
    e.stopPropagation();
}

/* --- event lane ----------------------------------------------------------------------------- */

const LETTERS = { failure: 'F', replacement: 'R', repair: 'R', inspection: 'I', alarm: 'A',
    work: 'W', model: 'M' };

function marker(kind) {
    const svg = s('svg', { width: 16, height: 16, viewBox: '0 0 16 16', 'aria-hidden': 'true' });
    const shape = {
        failure: () => s('rect', { class: 'm-act', x: 1, y: 1, width: 14, height: 14, rx: 2 }),
        replacement: () => s('rect', { class: 'm-fill', x: 1, y: 1, width: 14, height: 14, rx: 2 }),
        repair: () => s('rect', { class: 'm-fill', x: 1, y: 1, width: 14, height: 14, rx: 2 }),
        inspection: () => s('circle', { class: 'm-open', cx: 8, cy: 8, r: 7 }),
        alarm: () => s('path', { class: 'm-soon', d: 'M8 0.5 15.8 15H0.2Z' }),
        model: () => s('path', { class: 'm-open', d: 'M8 0.6 15.4 8 8 15.4 0.6 8Z' }),
    }[kind] || (() => s('rect', { class: 'm-open', x: 1, y: 1, width: 14, height: 14, rx: 2 }));
    const isInverse = ['failure', 'replacement', 'repair'].includes(kind);
    svg.append(shape(), s('text', { x: 8, y: kind === 'alarm' ? 13 : 11.4,
        class: `m-letter ${isInverse ? 'inv' : ''}` }, LETTERS[kind] || '•'));
    return svg;
}

function grouped(set, g) {
    const out = [];
    const list = set.events.map((e) => ({ e, at: new Date(e.at).getTime() }))
        .filter((q) => q.at >= set.from && q.at <= set.to).sort((a, b) => a.at - b.at);
    for (const { e, at } of list) {
        const x = g.toDomXCoord(at);
        const before = out[out.length - 1];
        if (before && x - before.x < MERGE_PX) before.items.push(e);
        else out.push({ x, items: [e] });
    }
    return out;
}

const WEIGHT = ['failure', 'replacement', 'repair', 'alarm', 'work', 'inspection', 'model'];

function drawEvents(set) {
    const g = set.lanes[0]?.g;
    if (!g) return;
    const groups = grouped(set, g);
    const right = g.getArea().x + g.getArea().w + RIGHT;
    clear(set.eventBox);
    clear(set.drops);
    groups.forEach((group, i) => {
        const kind = WEIGHT.find((k) => group.items.some((e) => e.kind === k)) || 'work';
        const room = (groups[i + 1]?.x ?? right) - group.x - 26;
        const isOneKind = group.items.every((e) => e.kind === group.items[0].kind);
        const one = group.items.length === 1 ? f.words(group.items[0].text) : isOneKind
            ? `${capital(word('event', kind))} ${group.items.length}×` : t('n_events',
                { n: group.items.length });
        const b = h('button', { type: 'button', title: group.items.map((e) => `${f.dateTime(e.at)} ${
            e.text}`).slice(0, 12).join('\n'), 'aria-label': `${f.day(group.items[0].at)}: ${one}`,
        on: { click: () => listEvents(group.items) } }, marker(kind),
        one.length * 6.2 < room ? h('span', null, one)
            : group.items.length > 1 && room > 14 ? h('span', null, `${group.items.length}×`) : null);
        place(b, { left: `${group.x}px` });
        set.eventBox.append(b);
        set.drops.append(s('line', { class: 'k-dotted', x1: group.x, x2: group.x, y1: 28,
            y2: set.box.clientHeight - set.readout.offsetHeight - 22 }));
    });
}

function listEvents(items) {
    dialog(t('events'), h('div', { class: 'scroll' }, h('table', { class: 'tight' }, h('tbody', null,
        items.map((e) => h('tr', null, h('td', { class: 'nowrap', title: e.at }, f.dateTime(e.at)),
            h('td', null, word('event', e.kind)), h('td', null, [f.words(e.text), e.component ? h('span',
                { class: 'muted' }, ` · ${e.component}`) : null])))))));
}
