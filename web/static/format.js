/* Figures and dates as people read them: numbers in the user's locale, instants in the site's zone.
 * A value that is absent gives an em dash, never a zero. */

import { lang } from './messages.js';

const NB = '\u00a0';
const NONE = '\u2014';
const MINUS = '\u2212';
const site = { zone: 'UTC', currency: 'EUR', now: null };

/* Called when /api/v1/site has answered. now: the site's clock at that moment. */
export function formatSetSite({ time_zone, currency, now }) {
    if (time_zone) {
        try {
            new Intl.DateTimeFormat('en', { timeZone: time_zone });
            site.zone = time_zone;
        } catch (e) {
            site.zone = 'UTC';
        }
    }
    if (currency) site.currency = currency;
    site.now = now ? new Date(now) : null;
    cache.clear();
}

export const currency = () => site.currency;
export const zone = () => site.zone;
export const siteNow = () => site.now || new Date();

/* English dates are day before month, as the server's sentences have them. */
function locale(dates) {
    const user = navigator.language || 'en';
    if (!dates) return user;
    if (lang() === 'en') return user.startsWith('en-') && user !== 'en-US' ? user : 'en-GB';
    return user.startsWith(lang()) ? user : lang();
}

const cache = new Map();

function numberFormat(options) {
    const key = 'n' + JSON.stringify(options);
    if (!cache.has(key)) cache.set(key, new Intl.NumberFormat(locale(false), options));
    return cache.get(key);
}

function dateFormat(options) {
    const key = 'd' + JSON.stringify(options);
    if (!cache.has(key)) {
        cache.set(key, new Intl.DateTimeFormat(locale(true), { timeZone: site.zone, ...options }));
    }
    return cache.get(key);
}

const absent = (v) => v === null || v === undefined || Number.isNaN(v);
const sign = (text) => text.replace('-', MINUS);

/* Exact count. */
export function count(v) {
    return absent(v) ? NONE : sign(numberFormat({ maximumFractionDigits: 0 }).format(v));
}

/* Estimate: at most `digits` significant digits, never fewer than the integer part would mislead by. */
export function estimate(v, digits = 3) {
    if (absent(v)) return NONE;
    return sign(numberFormat({ maximumSignificantDigits: digits }).format(v));
}

export function fixed(v, places) {
    if (absent(v)) return NONE;
    return sign(numberFormat({ minimumFractionDigits: places, maximumFractionDigits: places })
        .format(v));
}

/* Money without its currency, for columns whose head names it. */
export function amount(v, digits = 3) {
    if (absent(v)) return NONE;
    const r = Math.abs(v) < 0.5 ? 0 : v;
    return estimate(Math.abs(r) >= 1 ? Math.round(Number(r.toPrecision(digits))) : Math.round(r),
                    Math.max(digits, 3));
}

/* Money with its currency: "EUR 184,300" or the locale's symbol. */
export function money(v, digits = 3) {
    if (absent(v)) return NONE;
    const rounded = Number(Number(v).toPrecision(digits));
    return sign(numberFormat({ style: 'currency', currency: site.currency,
        currencyDisplay: 'narrowSymbol', maximumFractionDigits: 0, minimumFractionDigits: 0 })
        .format(Math.abs(rounded) < 0.5 ? 0 : rounded));
}

const SCALES = [[1e9, 'bn'], [1e6, 'M'], [1e3, 'k'], [1, '']];

/* One scale for a group of figures, by the largest: [divisor, "k"]. */
export function scaleOf(max) {
    return SCALES.find(([d]) => Math.abs(max) >= (d === 1e3 ? 1e4 : d)) || SCALES[3];
}

export function scaled(v, [divisor, unit], digits = 3) {
    if (absent(v)) return NONE;
    const x = Number((v / divisor).toPrecision(digits));
    const places = divisor >= 1e6 ? 2 : Math.abs(x) >= 10 ? 0 : 1;
    return sign(numberFormat({ maximumFractionDigits: places })
        .format(Object.is(x, -0) ? 0 : x)) + (unit ? NB + unit : '');
}

/* Headline money: "€598 k". */
export function moneyShort(v, digits = 3) {
    if (absent(v)) return NONE;
    const [divisor, unit] = scaleOf(v);
    if (!unit) return money(v, digits);
    return sign(numberFormat({ style: 'currency', currency: site.currency,
        currencyDisplay: 'narrowSymbol', maximumSignificantDigits: digits,
        minimumFractionDigits: 0 }).format(v / divisor)) + NB + unit;
}

/* Signed change: "+9,800", "−1,200", "0". */
export function change(v, digits = 3) {
    if (absent(v)) return NONE;
    const text = amount(v, digits);
    return v > 0 && text !== '0' ? '+' + text : text;
}

/* Probability: whole per cent; "<1 %", ">99 %". */
export function percent(p, places = 0) {
    if (absent(p)) return NONE;
    if (places === 0 && p > 0 && p < 0.01) return '<1' + NB + '%';
    if (places === 0 && p < 1 && p > 0.99) return '>99' + NB + '%';
    return sign(numberFormat({ minimumFractionDigits: places, maximumFractionDigits: places })
        .format(100 * p)) + NB + '%';
}

/* "128–259" with one unit after both. */
export function range(low, high, fn) {
    if (absent(low) || absent(high)) return NONE;
    return `${fn(low)}\u2013${fn(high)}`;
}

/* Length of time in the unit people use for it: "6 h", "41 d", "3.4 y". */
export function duration(seconds) {
    if (absent(seconds)) return NONE;
    const h = seconds / 3600;
    if (h < 1) return count(seconds / 60) + NB + 'min';
    if (h < 48) return estimate(h, 2) + NB + 'h';
    const d = h / 24;
    if (d < 730) return count(d) + NB + 'd';
    return fixed(d / 365.25, 1) + NB + 'y';
}

const instant = (x) => (x instanceof Date ? x : new Date(/^\d{4}-\d\d-\d\d$/.test(x) ? x + 'T12:00Z'
    : x));
/* A plain date has no zone of its own: it is shown as it is written. */
const plain = (x) => typeof x === 'string' && /^\d{4}-\d\d-\d\d$/.test(x);

function parts(x, options) {
    const zoneless = plain(x) ? { timeZone: 'UTC' } : {};
    const d = instant(x);
    if (Number.isNaN(d.getTime())) return NONE;
    return dateFormat({ ...options, ...zoneless }).format(d).replace(',', '');
}

const yearOf = (x) => parts(x, { year: 'numeric' });

/* "Fri 4 Dec"; "12 Jan 2027" when it is not this year. */
export function day(x) {
    if (!x) return NONE;
    return parts(x, { day: 'numeric', month: 'short', ...(yearOf(x) === yearOf(siteNow())
        ? { weekday: 'short' } : { year: 'numeric' }) });
}

/* "4 Dec" */
export function dayShort(x) {
    if (!x) return NONE;
    return parts(x, { day: 'numeric', month: 'short' });
}

/* "Mar 2025" */
export function month(x) {
    return x ? parts(x, { month: 'short', year: 'numeric' }) : NONE;
}

export function clock(x) {
    return x ? parts(x, { hour: '2-digit', minute: '2-digit' }) : NONE;
}

export function dateTime(x) {
    return x ? `${day(x)} ${clock(x)}` : NONE;
}

export function dateLong(x) {
    if (!x) return NONE;
    return parts(x, { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' });
}

export function zoneShort(x) {
    const p = dateFormat({ timeZoneName: 'short' }).formatToParts(instant(x || siteNow()));
    const name = p.find((q) => q.type === 'timeZoneName');
    return name ? name.value : site.zone;
}

/* Parts of a day in the site's zone: {y, m, d}, and its ISO form. */
export function isoDay(x) {
    if (plain(x)) return x;
    const p = Object.fromEntries(new Intl.DateTimeFormat('en-CA', { timeZone: site.zone,
        year: 'numeric', month: '2-digit', day: '2-digit' }).formatToParts(instant(x))
        .map((q) => [q.type, q.value]));
    return `${p.year}-${p.month}-${p.day}`;
}

export function addDays(iso, n) {
    const d = new Date(iso + 'T00:00:00Z');
    d.setUTCDate(d.getUTCDate() + n);
    return d.toISOString().slice(0, 10);
}

export const dayDiff = (a, b) => Math.round((Date.parse(b + 'T00:00Z') - Date.parse(a + 'T00:00Z'))
    / 86400000);
export const weekday = (iso) => (new Date(iso + 'T12:00Z').getUTCDay() + 6) % 7; /* Monday is 0 */

export function isoWeek(iso) {
    const d = new Date(iso + 'T12:00Z');
    d.setUTCDate(d.getUTCDate() + 3 - weekday(iso));
    const first = new Date(Date.UTC(d.getUTCFullYear(), 0, 4));
    return 1 + Math.round(((d - first) / 86400000 - 3 + ((first.getUTCDay() + 6) % 7)) / 7);
}

/* Age for freshness only: "4 s", "12 min", "3 h", "2 d". */
export function age(x, now) {
    const sec = Math.max(0, ((now || new Date()) - new Date(x)) / 1000);
    if (sec < 90) return count(sec) + NB + 's';
    return duration(sec);
}

export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

const UNITS = new Set(['mm', 's', 'degc', 'c', 'k', 'pct', 'bar', 'kpa', 'mpa', 'a', 'v', 'w', 'kw', 'hz',
    'rpm', 'h', 'm3', 'l', 'min', 'um', 'g', 'n', 'nm', 'ppm']);

/* "vibration_mm_s" -> "Vibration": the unit stands beside it. Other names are shown as they are. */
export function sensorName(name) {
    if (!/^[a-z0-9_]+$/.test(name) || !name.includes('_')) return capital(name);
    const words = name.split('_');
    while (words.length > 1 && UNITS.has(words[words.length - 1])) words.pop();
    return capital(words.join(' '));
}

/* "spindle_bearing" -> "spindle bearing" */
export const plainName = (name) => (/^[a-z0-9_]+$/.test(name) ? name.replaceAll('_', ' ') : name);

/* Names of sensors and parts inside a sentence of the server, as words. */
export const words = (text) => String(text ?? '').replace(/(?<![\w])[a-z][a-z0-9]*(?:_[a-z0-9]+)+(?![\w])/g,
    (name) => sensorName(name).toLowerCase()).replace(/^./, (first) => first.toUpperCase());

const UCUM = { Cel: '\u00b0C', 'm3/h': 'm\u00b3/h', m3: 'm\u00b3', '1': '', 'um': '\u00b5m', Ohm: '\u03a9', '/min': '1/min',
    '{rpm}': 'rpm' };
/* A UCUM unit as people write it. */
export const unit = (code) => (code in UCUM ? UCUM[code] : code || '');

/* "23–29 Nov": two days of one span. */
export function daySpan(a, b) {
    if (!a || !b) return `${dayShort(a)}\u2013${dayShort(b)}`;
    const zoneless = plain(a) ? { timeZone: 'UTC' } : {};
    return dateFormat({ day: 'numeric', month: 'short', ...zoneless }).formatRange(instant(a), instant(b))
        .replace(/\s*\u2013\s*/, '\u2013');
}

export { NB, NONE, MINUS };
