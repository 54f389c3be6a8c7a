/* Makes elements. Text goes in as text nodes and never as markup, so names from a file or a CMMS
 * cannot become code; there is no attribute for style strings, which the content policy refuses. */

const SVG = 'http://www.w3.org/2000/svg';

function append(el, kids) {
    for (const kid of kids) {
        if (kid === null || kid === undefined || kid === false) continue;
        if (Array.isArray(kid)) append(el, kid);
        else el.append(kid instanceof Node ? kid : String(kid));
    }
    return el;
}

function fill(el, attrs) {
    for (const [name, value] of Object.entries(attrs || {})) {
        if (value === null || value === undefined || value === false) continue;
        if (name === 'on') {
            for (const [type, fn] of Object.entries(value)) el.addEventListener(type, fn);
        } else if (name === 'style' || name.startsWith('on')) {
            throw new Error(`attribute ${name} is not allowed`);
        } else {
            el.setAttribute(name, value === true ? '' : String(value));
        }
    }
    return el;
}

/* h('td', {class: 'num'}, 'text', node, [more]) -> element */
export function h(tag, attrs, ...kids) {
    return append(fill(document.createElement(tag), attrs), kids);
}

/* The same for SVG. */
export function s(tag, attrs, ...kids) {
    return append(fill(document.createElementNS(SVG, tag), attrs), kids);
}

export function clear(el, ...kids) {
    el.replaceChildren();
    return append(el, kids);
}

/* A list of sizes through CSSOM: place(el, {left: '10%'}). */
export function place(el, sizes) {
    for (const [name, value] of Object.entries(sizes)) el.style.setProperty(name, value);
    return el;
}

export const reducedMotion = () => matchMedia('(prefers-reduced-motion: reduce)').matches;
