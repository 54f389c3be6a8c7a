/* Sensor by day: a cell is one day of one sensor. Shapes are the code: a thin line is a whole day, a
 * half bar a part of one, an open cell silence, a full cell a value that stood still. */

import { h, s } from './dom.js';
import { t } from './messages.js';
import * as f from './format.js';
import { chart, plainTable, text } from './charts.js';

const STEP = 20;
const TOP = 22;
const WHOLE = 90;
const SILENT = 10;

/* How many days of a row are of a kind. */
const countOf = (row, fits) => row.present.filter((p, d) => p !== null && fits(p, d)).length;
const isStuck = (row, d) => Boolean(row.stuck) && d >= row.stuck[0] && d <= row.stuck[1];

function cell(p, stuck, x, y, w) {
    const height = STEP - 6;
    if (stuck && p > SILENT) return s('rect', { class: 'q-stuck', x, y, width: w, height });
    if (p >= WHOLE) return s('rect', { class: 'q-whole', x, y: y + height - 3, width: w, height: 3 });
    if (p > SILENT) return s('rect', { class: 'q-part', x, y: y + height / 2, width: w, height: height / 2 });
    return s('rect', { class: 'q-silent', x: x + 0.5, y: y + 0.5, width: Math.max(1, w - 1), height: height - 1 });
}

/* from: first day, "2026-09-23"; days: how many; rows: [{asset, sensor, present, stuck}] */
export function qualityStrip({ from, days, rows, label }) {
    const draw = (svg, width) => {
        const left = Math.min(220, Math.max(120, width * 0.26));
        const pitch = (width - left) / days;
        const most = Math.floor((left - 8) / 6.2);
        for (let d = 0; d < days; d += pitch > 9 ? 7 : 14) {
            const x = left + d * pitch;
            if (x < width - 36) svg.append(text(x, 12, f.dayShort(f.addDays(from, d)), 'quiet'));
        }
        rows.forEach((row, i) => {
            const y = TOP + i * STEP;
            const name = `${row.asset} ${f.sensorName(row.sensor)}`;
            svg.append(s('text', { x: 0, y: y + 12, class: 'label' }, s('title', null, name), name.length > most
                ? `${name.slice(0, most - 1)}…` : name));
            for (let d = 0; d < days; d++) {
                const p = row.present[d];
                if (p === null) continue;
                const begin = d; /* silence is one span, however many days */
                while (p <= SILENT && d + 1 < days && row.present[d + 1] !== null && row.present[d + 1] <= SILENT) d++;
                svg.append(cell(p, isStuck(row, d), left + begin * pitch, y, Math.max(1, (d - begin + 1) * pitch - 1)));
            }
        });
    };
    return chart({ height: TOP + rows.length * STEP + 4, draw, label, table: () => plainTable([t('strip_sensor'),
        t('strip_silent'), t('strip_part'), t('strip_stuck')], rows.map((row) => [`${row.asset} ${f.sensorName(
        row.sensor)}`, f.count(countOf(row, (p) => p <= SILENT)), f.count(countOf(row, (p) => p > SILENT && p
        < WHOLE)), f.count(countOf(row, (p, d) => isStuck(row, d) && p > SILENT))])) });
}

export function stripLegend() {
    const swatch = (p, stuck) => s('svg', { width: 14, height: 14, viewBox: '0 0 14 14', 'aria-hidden': 'true' },
        cell(p, stuck, 1, 0, 12));
    return h('span', { class: 'legend' }, [[100, false, 'strip_whole'], [50, false, 'strip_part'], [0, false,
        'strip_silent'], [100, true, 'strip_stuck']].map(([p, stuck, key]) => h('span', null, swatch(p, stuck),
        t(key))));
}
