/* Charts drawn as SVG: attributes and classes only, text as text nodes. A chart that fills its panel
 * is drawn at the panel's width (chart()); the small ones in tables have a fixed size. */

import { h, s, clear } from './dom.js';
import { t } from './messages.js';
import * as f from './format.js';

/* Draws draw(svg, width, height) now and whenever the width changes. label is the sentence a screen
 * reader says; table (optional) gives the same as rows behind "Show as table". */
export function chart({ height, label, draw, table }) {
    const svg = s('svg', { role: 'img', 'aria-label': label, width: '100%', height });
    const box = h('div', { class: 'chart' }, svg);
    let last = 0;
    const redraw = (width) => {
        if (width < 40 || width === last) return;
        last = width;
        svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
        clear(svg);
        draw(svg, width, height);
    };
    new ResizeObserver((entries) => redraw(Math.floor(entries[0].contentRect.width))).observe(box);
    if (!table) return box;
    return h('div', null, box, h('details', { class: 'as-table' },
        h('summary', null, t('show_as_table')), h('div', { class: 'scroll', tabindex: 0 }, table())));
}

export function plainTable(heads, rows) {
    return h('table', { class: 'tight' },
        h('thead', null, h('tr', null, heads.map((x, i) => h('th', { scope: 'col',
            class: i ? 'num' : null }, x)))),
        h('tbody', null, rows.map((r) => h('tr', null, r.map((x, i) => h(i ? 'td' : 'th',
            { class: i ? 'num' : null, scope: i ? null : 'row' }, x))))));
}

/* 3 to 5 round values that cover [lo, hi]. */
export function ticks(lo, hi, n = 4) {
    const span = hi - lo || 1;
    const raw = span / n;
    const base = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 2.5, 5, 10].map((k) => k * base).find((k) => k >= raw * 0.999);
    const out = [];
    for (let v = Math.ceil(lo / step - 1e-9) * step; v <= hi + step * 1e-6; v += step) {
        out.push(Math.abs(v) < step * 1e-6 ? 0 : v);
    }
    return out;
}

export const linear = (d0, d1, r0, r1) => (v) => r0 + ((v - d0) / (d1 - d0 || 1)) * (r1 - r0);

export const line = (x1, y1, x2, y2, cls) => s('line', { x1, y1, x2, y2, class: cls });
export const text = (x, y, content, cls, anchor) => s('text', { x, y, class: cls, 'text-anchor': anchor },
    content);
export const path = (points) => points.map(([x, y], i) => `${i ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`)
    .join('');

/* Monotone cubic through the points (Fritsch and Carlson 1980): no wiggle that the data lacks. */
export function smooth(points) {
    const n = points.length;
    if (n < 3) return path(points);
    const d = [];
    for (let i = 0; i < n - 1; i++) {
        d.push((points[i + 1][1] - points[i][1]) / (points[i + 1][0] - points[i][0] || 1));
    }
    const m = [d[0]];
    for (let i = 1; i < n - 1; i++) m.push(d[i - 1] * d[i] <= 0 ? 0 : (d[i - 1] + d[i]) / 2);
    m.push(d[n - 2]);
    for (let i = 0; i < n - 1; i++) {
        if (d[i] === 0) {
            m[i] = 0;
            m[i + 1] = 0;
            continue;
        }
        const k = Math.hypot(m[i] / d[i], m[i + 1] / d[i]);
        if (k > 3) {
            m[i] *= 3 / k;
            m[i + 1] *= 3 / k;
        }
    }
    let out = `M${points[0][0].toFixed(1)} ${points[0][1].toFixed(1)}`;
    for (let i = 0; i < n - 1; i++) {
        const [x0, y0] = points[i];
        const [x1, y1] = points[i + 1];
        const dx = (x1 - x0) / 3;
        out += `C${(x0 + dx).toFixed(1)} ${(y0 + m[i] * dx).toFixed(1)} ${(x1 - dx).toFixed(1)} ${
            (y1 - m[i + 1] * dx).toFixed(1)} ${x1.toFixed(1)} ${y1.toFixed(1)}`;
    }
    return out;
}

export function area(upper, lower) {
    return smooth(upper) + smooth([...lower].reverse()).replace('M', 'L') + 'Z';
}

/* Grey bar from zero with an 80 % whisker, on the table's one scale (max). */
export function moneyBar(m, max) {
    const w = 66;
    const x = (v) => Math.min(w - 1, (Math.max(0, v) / (max || 1)) * (w - 2));
    const svg = s('svg', { width: w, height: 12, viewBox: `0 0 ${w} 12`, 'aria-hidden': 'true' });
    if (m.value === null || m.value === undefined) return svg;
    svg.append(s('rect', { class: 'k-bar', x: 0, y: 2, width: Math.max(1, x(m.value)), height: 8 }));
    if (m.low !== null && m.low !== undefined && m.high !== null && m.high !== undefined) {
        const a = Math.round(x(m.low)) + 0.5;
        const b = Math.round(x(m.high)) + 0.5;
        svg.append(line(a, 6.5, b, 6.5, 'k-whisker'), line(a, 4, a, 9, 'k-whisker'),
            line(b, 4, b, 9, 'k-whisker'));
    }
    return svg;
}

/* Interval and median of remaining life on a shared axis of 0..max; an open end is an arrow. */
export function rangeStrip({ median, low, high }, max) {
    const w = 88;
    const x = (v) => 1 + (Math.min(v, max) / max) * (w - 10);
    const svg = s('svg', { width: w, height: 14, viewBox: `0 0 ${w} 14`, 'aria-hidden': 'true' });
    for (const k of [0, 1, 2, 3]) {
        svg.append(line(x((k * max) / 3), 0, x((k * max) / 3), 14, 'k-grid'));
    }
    if (median === null || median === undefined) return svg;
    const isOpen = high === null || high === undefined || high > max;
    const a = x(low ?? median);
    const b = isOpen ? x(max) : x(high);
    if (low === null || low === undefined || low <= max) {
        svg.append(isOpen
            ? s('path', { class: 'k-bar-weak', d: `M${a} 4H${b}L${b + 5} 7L${b} 10H${a}Z` })
            : s('rect', { class: 'k-bar-weak', x: a, y: 4, width: Math.max(2, b - a), height: 6 }));
    }
    if (median <= max) svg.append(s('circle', { class: 'k-dot', cx: x(median), cy: 7, r: 3.2 }));
    return svg;
}

export function rangeAxis(max) {
    const w = 88;
    const svg = s('svg', { width: w, height: 13, viewBox: `0 0 ${w} 13`, 'aria-hidden': 'true',
        class: 'chart axis' });
    for (const k of [0, 1, 2, 3]) {
        svg.append(text(1 + (k / 3) * (w - 10), 11, f.count((k * max) / 3), 'quiet', 'middle'));
    }
    return svg;
}

export function sparkline(values, width = 66, height = 38) {
    const v = values.filter((x) => x !== null);
    const svg = s('svg', { width, height, viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true' });
    if (v.length < 2) return svg;
    const lo = Math.min(...v);
    const hi = Math.max(...v);
    const x = linear(0, v.length - 1, 1, width - 4);
    const y = linear(lo, hi === lo ? lo + 1 : hi, height - 4, 4);
    const points = v.map((q, i) => [x(i), y(q)]);
    const end = points[points.length - 1];
    svg.append(s('path', { class: 'k-line-thin', d: path(points) }),
        s('circle', { class: 'k-dot', cx: end[0], cy: end[1], r: 2.8 }));
    return svg;
}

/* Load of coming weeks against full (dotted line). */
export function loadBars(weeks, width = 88, height = 34) {
    const svg = s('svg', { width, height, viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true' });
    const top = 7;
    const step = width / Math.max(1, weeks.length);
    weeks.forEach((w, i) => {
        const full = height - top;
        const bar = Math.min(full + top, Math.max(1, w.frac * full));
        svg.append(s('rect', { class: w.frac > 1.0001 ? 'k-over' : 'k-bar-weak', x: i * step + 4,
            y: height - bar, width: Math.max(2, step - 7), height: bar }));
    });
    svg.append(s('line', { class: 'k-dotted', x1: 0, x2: width, y1: top, y2: top }));
    return svg;
}

export function fraction(frac, width = 34) {
    const svg = s('svg', { width, height: 8, viewBox: `0 0 ${width} 8`, 'aria-hidden': 'true' });
    svg.append(s('rect', { class: 'k-track', x: 0, y: 0, width, height: 8 }));
    if (frac !== null && frac !== undefined) {
        svg.append(s('rect', { class: 'k-bar', x: 0, y: 0, height: 8,
            width: Math.max(1, Math.min(1, frac) * width) }));
    }
    return svg;
}

/* One signed bar of a reason; all share the span [lo, hi] in points. */
export function reasonBar(points, lo, hi) {
    const w = 118;
    const room = 34;
    const neg = lo < 0 ? Math.max(8, Math.min(40, (-lo / (hi - lo || 1)) * (w - room))) : 0;
    const x0 = neg + (lo < 0 ? 2 : 1);
    const scale = Math.min(hi > 0 ? (w - room - x0) / hi : Infinity,
        lo < 0 ? neg / -lo : Infinity);
    const len = Math.max(1.5, Math.abs(points) * scale);
    const svg = s('svg', { width: '100%', height: 18, viewBox: `0 0 ${w} 18`,
        preserveAspectRatio: 'xMinYMid meet', 'aria-hidden': 'true', class: 'chart' });
    svg.append(line(x0, 1, x0, 17, 'k-axis'));
    if (points >= 0) {
        svg.append(s('rect', { class: 'k-up', x: x0, y: 4, width: len, height: 10 }));
    } else {
        svg.append(s('rect', { class: 'k-down', x: x0 - len, y: 4, width: len, height: 10 }));
    }
    svg.append(text(points >= 0 ? x0 + len + 3 : x0 + 4, 13,
        (points > 0 ? '+' : '') + f.fixed(points, 1), 'quiet'));
    return svg;
}

export function frame(svg, { left, right, top, bottom, width, height, yTicks, y, yText }) {
    for (const v of yTicks) {
        svg.append(line(left, Math.round(y(v)) + 0.5, width - right, Math.round(y(v)) + 0.5,
            'k-grid'), text(left - 6, y(v) + 4, yText(v), null, 'end'));
    }
    svg.append(line(left, height - bottom + 0.5, width - right, height - bottom + 0.5, 'k-axis'));
}

/* Round dates for an axis from t0 to t1 (ms): about one label per 90 px. */
function dateTicks(t0, t1, width) {
    const days = (t1 - t0) / 86400000;
    const n = Math.max(2, Math.floor(width / 92));
    const step = [1, 2, 7, 14, 28, 56, 91, 182, 365, 730].find((k) => days / k <= n) || 1461;
    const out = [];
    for (let d = 0; d <= days + 0.01; d += step) out.push(t0 + d * 86400000);
    return out;
}

/* Chance of failure by date: the forecast starts at now, with its 80 % band; window and limit. */
export function forecastCurve({ asOf, horizons, window: due, at, coverage }) {
    const now = new Date(asOf).getTime();
    const limitDays = due && due.latest ? (new Date(due.latest) - now) / 86400000 : 0;
    const target = Math.max(30, Math.min(90, Math.max(60, limitDays * 1.5)));
    let used = horizons.filter((q) => q.t_s / 86400 <= target * 1.02);
    if (used.length < 2) used = horizons;
    const t1 = now + used[used.length - 1].t_s * 1000;
    const height = 222;
    const draw = (svg, width) => {
        const left = 44;
        const right = 14;
        const top = 12;
        const bottom = 24;
        const x = linear(now, t1, left, width - right);
        const y = linear(0, 1, height - bottom, top);
        frame(svg, { left, right, top, bottom, width, height, yTicks: [0, 0.25, 0.5, 0.75, 1], y,
            yText: (v) => f.percent(v) });
        for (const q of dateTicks(now, t1, width - left)) {
            svg.append(line(x(q), height - bottom, x(q), height - bottom + 4, 'k-axis'),
                text(x(q), height - 5, f.dayShort(new Date(q)), null,
                    q === now ? 'start' : 'middle'));
        }
        drawWindow(svg, due, x, left, top, height - bottom, width);
        const at0 = [[x(now), y(0)]];
        const pick = (k) => at0.concat(used.map((q) => [x(now + q.t_s * 1000), y(q[k])]));
        if (used.every((q) => q.low !== null && q.low !== undefined && q.high !== null
            && q.high !== undefined)) {
            svg.append(s('path', { class: 'k-band', d: area(pick('high'), pick('low')) }));
        }
        if (due && due.risk_limit) {
            const yl = Math.round(y(due.risk_limit)) + 0.5;
            svg.append(line(left, yl, width - right, yl, 'k-limit'),
                text(width - right - 2, yl - 5, t('risk_limit', { p: f.percent(due.risk_limit) }),
                    'halo', 'end'));
        }
        svg.append(s('path', { class: 'k-line', d: smooth(pick('p')) }));
        drawBest(svg, due, x, top, height - bottom, width);
        const mark = at && used.find((q) => Math.abs(q.t_s - at) < 43200);
        if (mark) {
            const px = x(now + mark.t_s * 1000);
            const py = y(mark.p);
            const label = t('p_in_days', { p: f.percent(mark.p), n: Math.round(mark.t_s / 86400) });
            const isLate = px > width - 130;
            svg.append(s('circle', { class: 'k-dot', cx: px, cy: py, r: 4 }),
                text(isLate ? px - 8 : px + 8, mark.p > 0.15 ? py + 15 : py - 10, label,
                    'strong halo', isLate ? 'end' : 'start'));
        }
    };
    return chart({ height, draw, label: coverage || t('chance_by_date'),
        table: () => plainTable([t('until'), t('chance'), t('interval')], used.map((q) => [
            f.day(new Date(now + q.t_s * 1000)), f.percent(q.p, q.p < 0.1 ? 1 : 0),
            f.range(q.low, q.high, (v) => f.percent(v))])) });
}

function drawWindow(svg, due, x, left, top, bottom, width) {
    if (!due || !due.earliest || !due.latest) return;
    const a = Math.max(x(new Date(due.earliest).getTime()), left);
    const b = Math.min(x(new Date(due.latest).getTime()), width - 14);
    if (b > a) {
        svg.append(s('rect', { class: 'k-window', x: a, y: top, width: Math.max(2, b - a),
            height: bottom - top }));
    }
}

function drawBest(svg, due, x, top, bottom, width) {
    if (!due || !due.best) return;
    const px = Math.round(x(new Date(due.best).getTime()));
    if (px > width - 14) return;
    svg.append(line(px, top, px, bottom, 'k-now'));
    const isRight = px > width * 0.55;
    const lx = isRight ? px - 8 : Math.max(px + 8, Math.min(width * 0.45,
        x(new Date(due.latest || due.best).getTime()) + 8));
    const anchor = isRight ? 'end' : 'start';
    /* a steep curve fills the top: the words then stand below it */
    if (due.risk_by_best > 0.35) top = bottom - 84;
    svg.append(text(lx, top + 9, t('proposed_on', { day: f.day(due.best) }), 'strong halo', anchor),
        text(lx, top + 23, due.earliest === due.latest ? t('window_one_day')
            : t('window_from_to', { span: f.daySpan(due.earliest, due.latest) }), 'halo', anchor));
    if (due.risk_by_best !== null && due.risk_by_best !== undefined) {
        svg.append(text(lx, top + 37, t('risk_by_then', { p: f.percent(due.risk_by_best,
            due.risk_by_best < 0.1 ? 1 : 0) }), 'halo', anchor));
    }
}

/* Expected cost by repair date: grey line for any day, dots for the best day and the next chance. */
export function costByDate({ points, best, next }) {
    const height = 222;
    const t0 = new Date(points[0].date).getTime();
    const t1 = new Date(points[points.length - 1].date).getTime();
    const most = Math.max(...points.map((p) => p.cost), best?.cost ?? 0, next?.cost ?? 0);
    const draw = (svg, width) => {
        const left = 46;
        const right = 12;
        const top = 12;
        const bottom = 24;
        const yt = ticks(0, most * 1.05, 4);
        const scale = f.scaleOf(most);
        const x = linear(t0, t1, left, width - right);
        const y = linear(0, Math.max(most * 1.08, yt[yt.length - 1]), height - bottom, top);
        frame(svg, { left, right, top, bottom, width, height, yTicks: yt, y,
            yText: (v) => f.scaled(v, scale) });
        const labelled = [];
        const tick = (ms) => {
            const px = x(ms);
            if (labelled.some((q) => Math.abs(q - px) < 58)) return;
            labelled.push(px);
            svg.append(line(px, height - bottom, px, height - bottom + 4, 'k-axis'),
                text(px, height - 5, f.dayShort(new Date(ms)), null,
                    px < left + 20 ? 'start' : px > width - 30 ? 'end' : 'middle'));
        };
        tick(t0);
        for (const q of [best, next]) if (q) tick(new Date(q.date).getTime());
        tick(t1);
        svg.append(s('path', { class: 'k-grey-line',
            d: path(points.map((p) => [x(new Date(p.date).getTime()), y(p.cost)])) }));
        const at = (q) => (q ? Math.round(x(new Date(q.date).getTime())) : null);
        const isNear = best && next && Math.abs(at(best) - at(next)) < 110;
        const mark = (q, cls, label, amount) => {
            const px = at(q);
            const py = y(q.cost);
            if (isNear) {
                const lx = Math.max(at(best), at(next)) + 8;
                const row = q === best ? 0 : 1;
                svg.append(line(px, top, px, height - bottom, cls), s('circle', { class: 'k-dot', cx: px,
                    cy: py, r: 4.5 }), text(lx, height - bottom - 26 + 15 * row, `${label} ${amount}`,
                    row ? 'halo' : 'strong halo'));
                return;
            }
            const isRight = px > left + (width - left) * 0.62;
            const anchor = isRight ? 'end' : 'start';
            const dx = isRight ? -8 : 8;
            svg.append(line(px, top, px, height - bottom, cls), text(px + dx, top + 9, label,
                'halo', anchor), s('circle', { class: 'k-dot', cx: px, cy: py, r: 4.5 }),
            text(px + dx, py + 15 > height - bottom - 4 ? py - 8 : py + 15, amount, 'strong halo',
                anchor));
        };
        for (const p of points.filter((q) => q.stop)) {
            svg.append(s('circle', { class: 'k-dot', cx: x(new Date(p.date).getTime()), cy: y(p.cost),
                r: 2.6 }));
        }
        if (best) mark(best, 'k-now', t('best_day'), f.amount(best.cost));
        if (next) mark(next, 'k-next', t('next_chance'), f.amount(next.cost));
    };
    return chart({ height, draw, label: t('cost_by_date_label', { day: f.day(best?.date),
        cost: f.money(best?.cost) }),
        table: () => plainTable([t('day'), t('expected_cost')], points.map((p) => [f.day(p.date),
            f.amount(p.cost)])) });
}

/* Cumulative discounted cash with its 50 and 80 % bands. */
export function cashBand({ cash, years, payback }) {
    const height = 240;
    const all = cash.flatMap((c) => [c.p10, c.p90]).concat(years.map((q) => q.cumulative))
        .filter((v) => v !== null && v !== undefined);
    const lo = Math.min(0, ...all);
    const hi = Math.max(0, ...all);
    const scale = f.scaleOf(Math.max(-lo, hi));
    const mid = years.length ? years.map((q) => [q.year, q.cumulative])
        : cash.map((c) => [c.year, c.p50]);
    const last = mid.length ? mid[mid.length - 1][0] : 1;
    const draw = (svg, width) => {
        const left = 54;
        const right = 76;
        const top = 10;
        const bottom = 24;
        const x = linear(mid.length ? mid[0][0] : 0, last, left, width - right);
        const y = linear(lo - (hi - lo) * 0.06, hi + (hi - lo) * 0.06, height - bottom, top);
        frame(svg, { left, right, top, bottom, width, height, yTicks: ticks(lo, hi, 5), y,
            yText: (v) => f.scaled(v, scale) });
        const near = (k) => cash.map((c) => [x(c.year), y(c[k])]);
        if (cash.length > 1) {
            svg.append(s('path', { class: 'k-band-80', d: area(near('p90'), near('p10')) }),
                s('path', { class: 'k-band-50', d: area(near('p75'), near('p25')) }));
        }
        svg.append(line(left, Math.round(y(0)) + 0.5, width - right, Math.round(y(0)) + 0.5,
            'k-zero'));
        const points = mid.map(([q, v]) => [x(q), y(v)]);
        svg.append(s('path', { class: 'k-line', d: path(points) }));
        points.forEach(([px, py], i) => svg.append(s('circle', { class: 'k-dot', cx: px, cy: py,
            r: 2.8 }), text(px, height - 5, mid[i][0] === 0 ? t('start') : t('year_n',
            { year: mid[i][0] }), null, 'middle')));
        if (payback !== null && payback !== undefined && payback <= last) {
            svg.append(s('circle', { class: 'k-dot-open', cx: x(payback), cy: y(0), r: 4.5 }),
                text(Math.min(x(payback) + 2, width - right - 150), y(0) + 20,
                    t('pays_back_after', { years: f.fixed(payback, 1) }), 'strong halo'));
        }
        const ends = [[cash.length ? cash[cash.length - 1].p90 : null, 'pct90', 'quiet'],
            [mid.length ? mid[mid.length - 1][1] : null, null, 'strong'],
            [cash.length ? cash[cash.length - 1].p10 : null, 'pct10', 'quiet']];
        let above = -Infinity;
        for (const [v, key, cls] of ends) {
            if (v === null || v === undefined) continue;
            const py = Math.max(y(v) + 4, above + 13);
            above = py;
            svg.append(text(width - right + 6, py, key ? t(key, { v: f.scaled(v, scale) })
                : f.scaled(v, scale), cls));
        }
    };
    return chart({ height, draw, label: t('cash_label'),
        table: () => plainTable([t('year'), '10 %', '25 %', '50 %', '75 %', '90 %'],
            cash.map((c) => [String(c.year), ...['p10', 'p25', 'p50', 'p75', 'p90']
                .map((k) => f.amount(c[k]))])) });
}

/* Tornado: what each input alone does to the value over its own range; sorted by the server. */
export function tornado({ rows, npv, name, show }) {
    const step = 27;
    const height = 30 + rows.length * step + 6;
    const values = rows.flatMap((r) => [r.npv_low, r.npv_high]).concat([npv]);
    const lo = Math.min(0, ...values);
    const hi = Math.max(0, ...values);
    const scale = f.scaleOf(Math.max(-lo, hi));
    const draw = (svg, width) => {
        const left = Math.min(176, width * 0.36);
        const pad = 58;
        const x = linear(lo, hi, left + pad, width - pad);
        for (const v of ticks(lo, hi, width > 500 ? 4 : 2)) {
            const isNear = Math.abs(x(v) - x(npv)) < 52;
            svg.append(line(Math.round(x(v)) + 0.5, 24, Math.round(x(v)) + 0.5, height - 4,
                v === 0 ? 'k-zero' : 'k-grid'),
            isNear ? '' : text(x(v), 15, f.scaled(v, scale), 'quiet', 'middle'));
        }
        svg.append(text(x(npv), 15, f.scaled(npv, scale), 'strong', 'middle'));
        rows.forEach((r, i) => {
            const y = 30 + i * step;
            const bar = (from, to) => s('rect', { class: to >= from ? 'k-down' : 'k-up',
                x: Math.min(x(from), x(to)), y, width: Math.max(1, Math.abs(x(to) - x(from))),
                height: 17 });
            const clip = name(r.input);
            const most = Math.floor((left + pad - 70) / 6);
            svg.append(s('text', { x: 0, y: y + 13, class: 'label' },
                s('title', null, clip), clip.length > most ? clip.slice(0, most - 1) + '…' : clip));
            const ends = [[r.npv_low, r.low_input], [r.npv_high, r.high_input]]
                .sort((a, b) => a[0] - b[0]);
            svg.append(bar(npv, ends[0][0]), bar(npv, ends[1][0]),
                text(Math.min(x(ends[0][0]), x(npv)) - 4, y + 13, show(r.input, ends[0][1]),
                    'quiet halo', 'end'),
                text(Math.max(x(ends[1][0]), x(npv)) + 4, y + 13, show(r.input, ends[1][1]),
                    'quiet halo'));
        });
        svg.append(line(Math.round(x(npv)) + 0.5, 22, Math.round(x(npv)) + 0.5, height - 2,
            'k-case'));
    };
    return chart({ height, draw, label: t('tornado_label'),
        table: () => plainTable([t('input'), t('low_input'), t('npv_then'), t('high_input'),
            t('npv_then')], rows.map((r) => [name(r.input), show(r.input, r.low_input),
            f.amount(r.npv_low), show(r.input, r.high_input), f.amount(r.npv_high)])) });
}

/* Share of the largest, as a bar in a side list; `isTotal` is drawn pale and full. */
export function fractionBar(frac, isTotal, width = 34) {
    const svg = s('svg', { width, height: 8, viewBox: `0 0 ${width} 8`, 'aria-hidden': 'true' });
    svg.append(s('rect', { class: isTotal ? 'k-bar-weak' : 'k-bar', x: 0, y: 0, height: 8,
        width: isTotal ? width : Math.max(1, Math.min(1, frac) * width) }));
    return svg;
}
