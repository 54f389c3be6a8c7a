/* Charts of the life lab: probability paper, hazard, cost against interval, mean cumulative function,
 * joint region of both parameters. Ages in days. Each has an equal table behind "Show as table". */

import { s } from './dom.js';
import { t } from './messages.js';
import * as f from './format.js';
import { chart, plainTable, ticks, linear, line, text, path, area, frame } from './charts.js';

const HEIGHT = 236;
const EDGE = { left: 46, right: 14, top: 12, bottom: 24 };
const SHARES = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 0.8, 0.9, 0.99];

const days = (v) => f.estimate(v, 3);

function ageTicks(svg, x, values, height) {
    for (const v of values) {
        svg.append(line(x(v), height - EDGE.bottom, x(v), height - EDGE.bottom + 4, 'k-axis'),
            text(x(v), height - 5, f.count(v), null, 'middle'));
    }
}

/* Round ages inside [lo, hi] on a log axis: 1, 2 and 5 of every power of ten. */
function logTicks(lo, hi) {
    const out = [];
    for (let e = Math.floor(Math.log10(lo)); e <= Math.log10(hi); e++) {
        for (const k of [1, 2, 5]) if (k * 10 ** e >= lo && k * 10 ** e <= hi) out.push(k * 10 ** e);
    }
    return out;
}

/* A mark that opens the lives behind it: a button in the drawing, by keys too. */
function mark(svg, { cx, cy, label, open, isHollow }) {
    const shape = isHollow
        ? s('path', { class: 'k-censored', d: `M${cx - 3} ${cy - 4}L${cx + 4} ${cy}L${cx - 3} ${cy + 4}Z` })
        : s('circle', { class: 'k-dot', cx, cy, r: 3.6 });
    const g = s('g', { class: 'k-mark', role: 'button', tabindex: 0, 'aria-label': label, on: { click: open,
        keydown: (e) => {
            if (e.key !== 'Enter') return;
            e.stopPropagation();
            open();
        } } }, s('title', null, label), s('rect', { class: 'k-hit', x: cx - 8, y: cy - 8, width: 16,
        height: 16 }), shape);
    svg.append(g);
}

/* Failed share against age, on paper where the law is a straight line; bounds of the age by share.
 * running: ages of the lives that have not failed, as open marks on the axis. open(age) is told which
 * mark was chosen. */
export function probabilityPaper({ paper, running, caption, open }) {
    const isLog = paper.x_scale === 'log';
    const inside = paper.line.filter((q) => q.failed_frac >= 0.01 && q.failed_frac <= 0.99);
    const ages = [...paper.points.map((q) => q.time), ...inside.flatMap((q) => [q.lower, q.upper])]
        .filter((v) => v > 0 && Number.isFinite(v));
    const lo = Math.min(...ages);
    const hi = Math.max(...paper.points.map((q) => q.time), ...running, ...inside.map((q) => q.time)) * 1.06;
    const to = (v) => (isLog ? Math.log(v) : v);
    const draw = (svg, width, height) => {
        const shares = SHARES.map((p) => [p, paper.line.find((q) => q.failed_frac === p)?.y])
            .filter(([, y]) => y !== undefined && y !== null);
        const raw = linear(to(lo), to(hi), EDGE.left, width - EDGE.right);
        const x = (v) => Math.max(EDGE.left + 6, Math.min(width - EDGE.right, raw(to(Math.max(v, lo)))));
        const ys = [...shares.map(([, y]) => y), ...paper.points.map((q) => q.y)];
        const y = linear(Math.min(...ys), Math.max(...ys), height - EDGE.bottom - 12, EDGE.top + 4);
        frame(svg, { ...EDGE, width, height, yTicks: shares.map(([, v]) => v), y,
            yText: (v) => f.percent(shares.find(([, q]) => q === v)[0]) });
        ageTicks(svg, x, isLog ? logTicks(lo, hi) : ticks(lo, hi, 5), height);
        const upper = inside.filter((q) => Number.isFinite(q.upper)).map((q) => [x(q.upper), y(q.y)]);
        const lower = inside.filter((q) => Number.isFinite(q.lower)).map((q) => [x(q.lower), y(q.y)]);
        svg.append(s('path', { class: 'k-band', d: `${path(upper)}${path([...lower].reverse())
            .replace('M', 'L')}Z` }), s('path', { class: 'k-line', d: path(inside.map((q) => [x(q.time),
            y(q.y)])) }));
        for (const v of [...new Set(running)]) {
            mark(svg, { cx: x(v), cy: height - EDGE.bottom - 5, isHollow: true, open: () => open(v),
                label: t('life_running_at', { age: days(v) }) });
        }
        for (const q of paper.points) {
            mark(svg, { cx: x(q.time), cy: y(q.y), open: () => open(q.time), label: t('life_failed_at', {
                age: days(q.time), p: f.percent(q.failed_frac) }) });
        }
    };
    return chart({ height: 490, draw, label: caption, table: () => plainTable([t('life_share'), t('life_age'),
        t('life_low'), t('life_high')], paper.line.map((q) => [f.percent(q.failed_frac, q.failed_frac < 0.1
        || q.failed_frac > 0.9 ? 1 : 0), days(q.time), days(q.lower), days(q.upper)])) });
}

/* One curve over age from zero, with a band when every point has limits. */
function curve({ rows, x: key, value, low, high, label, yText, table, extra, floor }) {
    const hasBand = rows.every((q) => Number.isFinite(q[low]) && Number.isFinite(q[high]));
    const last = rows[rows.length - 1][key];
    const tops = rows.map((q) => q[value]);
    const most = Math.max(...tops) * 1.12;
    const top = hasBand ? Math.min(Math.max(...rows.map((q) => q[high])) * 1.04, 2.4 * Math.max(...tops))
        : most;
    const draw = (svg, width, height) => {
        const x = linear(0, last, EDGE.left, width - EDGE.right);
        const y = linear(0, floor ? Math.min(top, floor) : top, height - EDGE.bottom, EDGE.top);
        const yTicks = ticks(0, floor ? Math.min(top, floor) : top, 4);
        frame(svg, { ...EDGE, width, height, yTicks, y, yText });
        ageTicks(svg, x, ticks(0, last, width > 420 ? 5 : 3), height);
        const clip = (v) => Math.max(EDGE.top, y(v));
        const shown = rows.filter((q) => y(q[value]) >= EDGE.top - 1);
        if (hasBand) {
            svg.append(s('path', { class: 'k-band', d: area(rows.map((q) => [x(q[key]), clip(q[high])]),
                rows.map((q) => [x(q[key]), clip(q[low])])) }));
        }
        if (extra) extra(svg, { x, y, width, height });
        svg.append(s('path', { class: 'k-line', d: path(shown.map((q) => [x(q[key]), y(q[value])])) }));
    };
    return chart({ height: HEIGHT, draw, label, table });
}

/* Failures per 1,000 running days at an age; the band is the joint region of both parameters. */
export function hazardCurve({ rows, label }) {
    const per = rows.map((q) => ({ time: q.time, hazard: 1000 * q.hazard, low: q.low === null ? NaN
        : 1000 * q.low, high: q.high === null ? NaN : 1000 * q.high }));
    return curve({ rows: per, x: 'time', value: 'hazard', low: 'low', high: 'high', label,
        yText: (v) => f.estimate(v, 2), table: () => plainTable([t('life_age'), t('life_hazard_col'),
            t('life_low'), t('life_high')], per.map((q) => [days(q.time), f.estimate(q.hazard), f.estimate(
            q.low), f.estimate(q.high)])) });
}

/* Cost a day against the age of replacement: best age, flat zone, level of running to failure. */
export function costRateCurve({ rows, best, rate, flat, run, label }) {
    const extra = (svg, { x, y, width, height }) => {
        if (flat) {
            svg.append(s('rect', { class: 'k-window', x: x(flat[0]), y: EDGE.top, width: Math.max(2, x(flat[1])
                - x(flat[0])), height: height - EDGE.bottom - EDGE.top }));
        }
        const yr = Math.round(y(run)) + 0.5;
        svg.append(line(EDGE.left, yr, width - EDGE.right, yr, 'k-limit'), text(width - EDGE.right - 2, yr - 5,
            t('life_run_level', { v: f.money(run) }), 'halo', 'end'));
        if (best === null || best === undefined) return;
        const px = Math.round(x(best));
        const isLate = px > width * 0.6;
        svg.append(line(px, EDGE.top, px, height - EDGE.bottom, 'k-now'), s('circle', { class: 'k-dot', cx: px,
            cy: y(rate), r: 4.5 }), text(isLate ? px - 8 : px + 8, y(rate) + 20, t('life_best_at', { age:
            days(best), v: f.money(rate) }), 'strong halo', isLate ? 'end' : 'start'));
        if (flat) {
            svg.append(text(isLate ? px - 8 : px + 8, y(rate) + 34, t('life_flat', { low: days(flat[0]), high:
                days(flat[1]) }), 'halo', isLate ? 'end' : 'start'));
        }
    };
    return curve({ rows, x: 'interval', value: 'rate', label, floor: 2.1 * Math.max(run, rate || run), extra,
        yText: (v) => f.estimate(v, 3), table: () => plainTable([t('life_replaced_at'), t('life_rate_col', {
            unit: f.currency() })], rows.map((q) => [days(q.interval), f.estimate(q.rate)])) });
}

/* Failures of one asset by its days under observation, as steps. */
export function meanCumulative({ rows, label }) {
    const steps = [{ time: 0, mean: 0, lower: 0, upper: 0 }, ...rows];
    const draw = (svg, width, height) => {
        const x = linear(0, rows[rows.length - 1].time * 1.04, EDGE.left, width - EDGE.right);
        const most = Math.max(...rows.map((q) => q.upper));
        const y = linear(0, most * 1.05, height - EDGE.bottom, EDGE.top);
        frame(svg, { ...EDGE, width, height, yTicks: ticks(0, most, 4), y, yText: (v) => f.estimate(v, 2) });
        ageTicks(svg, x, ticks(0, rows[rows.length - 1].time, width > 420 ? 5 : 3), height);
        const climb = (key) => steps.flatMap((q, i) => (i ? [[x(q.time), y(steps[i - 1][key])], [x(q.time),
            y(q[key])]] : [[x(0), y(0)]]));
        svg.append(s('path', { class: 'k-band', d: `${path(climb('upper'))}${path(climb('lower').reverse())
            .replace('M', 'L')}Z` }), s('path', { class: 'k-line', d: path(climb('mean')) }));
        const end = rows[rows.length - 1];
        svg.append(text(x(end.time) - 4, y(end.mean) - 8, f.estimate(end.mean), 'strong halo', 'end'));
    };
    return chart({ height: HEIGHT, draw, label, table: () => plainTable([t('life_observed'), t('life_mcf_col'),
        t('life_low'), t('life_high')], rows.map((q) => [days(q.time), f.estimate(q.mean), f.estimate(q.lower),
        f.estimate(q.upper)])) });
}

/* The pairs of parameters that the data do not rule out, and the fit among them. */
export function jointRegion({ contour, first, second, names, isLocation, label }) {
    const points = contour.points.filter(([a, b]) => Number.isFinite(a) && Number.isFinite(b));
    const span = (i, fit) => {
        const v = [...points.map((p) => p[i]), fit];
        const gap = (Math.max(...v) - Math.min(...v)) * 0.08 || 1;
        return [Math.min(...v) - gap, Math.max(...v) + gap];
    };
    const xs = span(0, first);
    const ys = span(1, second);
    const draw = (svg, width, height) => {
        const x = linear(xs[0], xs[1], EDGE.left, width - EDGE.right);
        const y = linear(ys[0], ys[1], height - EDGE.bottom, EDGE.top);
        frame(svg, { ...EDGE, width, height, yTicks: ticks(ys[0], ys[1], 4), y, yText: (v) => f.estimate(v) });
        for (const v of ticks(xs[0], xs[1], 4)) {
            svg.append(text(x(v), height - 5, f.estimate(v, 3), null, 'middle'));
        }
        if (xs[0] < 1 && xs[1] > 1 && !isLocation) {
            svg.append(line(x(1), EDGE.top, x(1), height - EDGE.bottom, 'k-limit'), text(x(1) + 5, EDGE.top + 24,
                t('life_no_wear'), 'halo'));
        }
        svg.append(text(EDGE.left + 4, EDGE.top - 2, names.second, 'quiet'), text(width - EDGE.right, height
            - EDGE.bottom - 6, names.first, 'quiet', 'end'));
        svg.append(s('path', { class: 'k-region', d: `${path(points.map(([a, b]) => [x(a), y(b)]))}Z` }),
            s('circle', { class: 'k-dot', cx: x(first), cy: y(second), r: 4 }));
    };
    return chart({ height: HEIGHT, draw, label, table: () => plainTable([names.first, names.second],
        points.map(([a, b]) => [f.estimate(a), f.estimate(b)])) });
}
