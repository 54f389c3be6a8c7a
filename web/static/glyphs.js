/* Small marks. Their shapes are the code; colour only repeats it. */

import { h, s } from './dom.js';
import { t, word } from './messages.js';

const SHAPES = {
    act: () => s('path', { class: 'g-act', d: 'M6 0.5 11.5 6 6 11.5 0.5 6Z' }),
    soon: () => s('path', { class: 'g-soon', d: 'M6 1 11.8 11H0.2Z' }),
    watch: () => s('circle', { class: 'g-watch', cx: 6, cy: 6, r: 4.5 }),
    normal: () => s('path', { class: 'g-normal', d: 'M1.5 6h9' }),
    no_data: () => s('rect', { class: 'g-none', x: 1.5, y: 1.5, width: 9, height: 9 }),
    model: () => s('path', { class: 'g-model', d: 'M6 1.2 10.8 6 6 10.8 1.2 6Z' }),
    scheduled: () => s('circle', { class: 'g-sched', cx: 6, cy: 6, r: 4.8 }),
    draft: () => s('circle', { class: 'g-draft', cx: 6, cy: 6, r: 4.6 }),
    preventive: () => s('rect', { class: 'g-pm', x: 1.5, y: 1.5, width: 9, height: 9 }),
    none: () => s('path', { class: 'g-bang', d: 'M5 0.5h2.2l-.4 7H5.4ZM5 9.2h2.2v2.3H5Z' }),
    history: () => s('circle', { class: 'g-gain', cx: 6, cy: 6, r: 4.8 }),
    model_input: () => s('path', { class: 'g-gain', d: 'M6 0.5 11.5 6 6 11.5 0.5 6Z' }),
    typed: () => s('circle', { class: 'g-gain-open', cx: 6, cy: 6, r: 4.2 }),
    default: () => s('path', { class: 'g-soon-open', d: 'M6 1.6 11 10.4H1Z' }),
    pin: () => s('path', { fill: 'none', stroke: 'currentColor', 'stroke-width': 1.6,
        d: 'M2.5 1h7M2.5 7h7M4.2 1v6M7.8 1v6M6 7v5' }),
};

export function glyph(name, size = 12) {
    const draw = SHAPES[name] || SHAPES.no_data;
    return s('svg', { width: size, height: size, viewBox: '0 0 12 12', 'aria-hidden': 'true' },
        draw());
}

/* The state of an asset: mark and word; the rule is its title. */
export function stateBadge(state, rule) {
    return h('span', { class: `state ${state}`, title: rule || null }, glyph(state),
        word('state', state));
}

const OPEN = ['approved', 'sent', 'scheduled', 'in_progress', 'on_hold'];

/* The mark of the next work: never the mark of a risk state. */
export function workGlyph(work) {
    if (!work) return glyph('none');
    if (work.kind === 'preventive' || work.kind === 'inspection') return glyph('preventive');
    if (work.status === 'draft') return glyph('draft');
    return glyph(OPEN.includes(work.status) || work.status === 'done' ? 'scheduled' : 'draft');
}

export function statusBadge(work) {
    return h('span', { class: 'status' }, workGlyph(work), word('status', work.status));
}

export function workLegend() {
    return h('span', { class: 'legend' },
        h('span', null, glyph('scheduled'), t('legend_scheduled')),
        h('span', null, glyph('draft'), t('legend_draft')),
        h('span', null, glyph('preventive'), t('legend_preventive')),
        h('span', null, glyph('none'), t('legend_none')));
}
