/* Calls under /api/v1. Errors are RFC 9457 problem bodies and become ApiError; the API key that
 * writing needs is kept for this tab only. */

const BASE = '/api/v1';
const KEY = 'fettle-key';

export class ApiError extends Error {
    constructor(status, problem, path) {
        super(problem.detail || problem.title || `HTTP ${status}`);
        this.status = status;
        this.title = problem.title || '';
        this.detail = problem.detail || '';
        this.type = problem.type || '';
        this.reference = problem.request_id || problem.instance || '';
        this.path = path;
        this.problem = problem;
    }
}

export const apiKey = () => {
    try {
        return sessionStorage.getItem(KEY) || '';
    } catch (e) {
        return '';
    }
};

export function setApiKey(value) {
    try {
        if (value) sessionStorage.setItem(KEY, value);
        else sessionStorage.removeItem(KEY);
    } catch (e) { /* storage is off: the key is asked for again */ }
    window.dispatchEvent(new Event('fettle-key'));
}

/* Path with a query: url('/assets', {limit: 10}). null and '' are left out. */
export function url(path, query) {
    const q = new URLSearchParams();
    for (const [k, v] of Object.entries(query || {})) {
        if (v !== null && v !== undefined && v !== '') q.set(k, v);
    }
    const text = q.toString();
    return BASE + path + (text ? `?${text}` : '');
}

export const seg = encodeURIComponent;

async function problemOf(response) {
    const type = response.headers.get('content-type') || '';
    try {
        if (type.includes('json')) return await response.json();
    } catch (e) { /* an answer that is not JSON is told by its status */ }
    return { title: response.statusText };
}

async function call(method, path, { body, headers, signal } = {}) {
    const h = { Accept: 'application/json', ...headers };
    const key = apiKey();
    if (key) h.Authorization = `Bearer ${key}`;
    if (body !== undefined) h['Content-Type'] = h['Content-Type'] || 'application/json';
    let response;
    try {
        response = await fetch(path, { method, headers: h, signal, credentials: 'same-origin',
            body: body === undefined ? undefined : JSON.stringify(body) });
    } catch (e) {
        if (e.name === 'AbortError') throw e;
        throw new ApiError(0, { title: 'network', detail: '' }, path);
    }
    if (!response.ok) throw new ApiError(response.status, await problemOf(response), path);
    return response;
}

/* One page of anything: the parsed body. */
export async function get(path, query, options) {
    const response = await call('GET', url(path, query), options);
    return response.json();
}

/* The same with the ETag, for what will be changed. */
export async function getTagged(path, query, options) {
    const response = await call('GET', url(path, query), options);
    return { etag: response.headers.get('etag'), body: await response.json() };
}

/* Every item of a list, page by page, up to `most`. first(page) is called with the first answer. */
export async function getAll(path, query, { most = 5000, signal } = {}) {
    const answer = await get(path, query, { signal });
    let cursor = answer.next_cursor;
    while (cursor && answer.items.length < most) {
        const more = await get(path, { ...query, cursor }, { signal });
        answer.items.push(...more.items);
        cursor = more.next_cursor;
    }
    answer.next_cursor = cursor || null;
    return answer;
}

export async function send(method, path, body, { etag, once, signal } = {}) {
    const headers = {};
    if (etag) headers['If-Match'] = etag;
    if (once) headers['Idempotency-Key'] = once;
    if (method === 'PATCH') headers['Content-Type'] = 'application/merge-patch+json';
    const response = await call(method, BASE + path, { body, headers, signal });
    const text = await response.text();
    return { body: text ? JSON.parse(text) : null, etag: response.headers.get('etag'),
        location: response.headers.get('location'), status: response.status };
}

/* A key that makes a repeated POST count once. */
export function onceKey() {
    if (crypto.randomUUID) return crypto.randomUUID();
    const b = crypto.getRandomValues(new Uint8Array(16));
    return [...b].map((x) => x.toString(16).padStart(2, '0')).join('');
}
