/* The message catalogue: t('key', {n: 3}) gives a whole sentence. A message is a string or an object
 * of plural forms chosen by n; {name} is replaced. A key that is missing is shown and reported. */

import en from './messages_en.js';

let catalogue = en;
let language = 'en';
let plural = new Intl.PluralRules('en');

export const lang = () => language;

/* Picks the language of the user's browser when there is a catalogue for it. */
export async function loadMessages() {
    const wanted = (navigator.languages || [navigator.language || 'en'])
        .map((l) => l.slice(0, 2)).find((l) => l === 'en' || l === 'de');
    if (wanted !== 'de') return;
    const { default: de } = await import('./messages_de.js');
    catalogue = { ...en, ...de };
    language = 'de';
    plural = new Intl.PluralRules('de');
    document.documentElement.lang = 'de';
}

export const has = (key) => Object.hasOwn(catalogue, key);

export function t(key, values) {
    if (!has(key)) {
        console.error(`message ${key} is not in the catalogue`);
        return key;
    }
    let text = catalogue[key];
    if (typeof text === 'object') text = text[plural.select(values?.n ?? 0)] ?? text.other;
    return text.replace(/\{(\w+)\}/g, (all, name) => (values && name in values ? String(values[name])
        : all));
}

/* A word of the server's vocabulary (a status, a kind): its translation, else itself in plain words. */
export function word(group, value) {
    if (value === null || value === undefined || value === '') return '\u2014';
    const key = `${group}_${value}`;
    return has(key) ? t(key) : String(value).replaceAll('_', ' ');
}
