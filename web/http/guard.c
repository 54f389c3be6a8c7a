/* Rules after RFC 9112 (sections 3.2, 5.1, 6.1, 6.3) and RFC 3986; each breach has its own text, so
 * that a test can tell which rule spoke. */
#include "web/http/guard.h"

#include <string.h>
#include <strings.h>

static const char *const known_methods[] = {"GET",   "HEAD",   "POST",   "PUT",
                                            "PATCH", "DELETE", "OPTIONS"};

bool guard_is_name(const char *name, size_t len, const char *wanted)
{
    return len == strlen(wanted) && strncasecmp(name, wanted, len) == 0;
}

static bool is_known_method(const char *method)
{
    for (size_t i = 0; i < sizeof(known_methods) / sizeof(known_methods[0]); i++)
        if (strcmp(method, known_methods[i]) == 0)
            return true;
    return false;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Is the decoded segment "." or ".."? A backslash and an encoded slash end a segment too, for that
 * is how a careless program behind us would read them. */
struct dots {
    size_t n_dots, n_other;
};

static bool is_dot_segment(const struct dots *d)
{
    return d->n_other == 0 && (d->n_dots == 1 || d->n_dots == 2);
}

static const char *check_uri(const char *uri, size_t len)
{
    struct dots segment = {0, 0};
    bool in_path = true;
    if (len == 0 || uri[0] != '/')
        return "the request target must begin with /";
    if (len > GUARD_MAX_URI)
        return "the request target is longer than 8 KiB";
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)uri[i];
        if (c <= 0x20 || c >= 0x7f || c == '#')
            return "the request target holds a byte that must be percent-encoded";
        if (c == '?' && in_path) {
            in_path = false;
            if (is_dot_segment(&segment))
                return "the path holds a . or .. segment";
            continue;
        }
        if (c == '%') {
            const int hi = i + 2 < len ? hex_value(uri[i + 1]) : -1;
            const int lo = i + 2 < len ? hex_value(uri[i + 2]) : -1;
            if (hi < 0 || lo < 0)
                return "a % is not followed by two hexadecimal digits";
            c = (unsigned char)(hi * 16 + lo);
            i += 2;
            if (c < 0x20 && !(c == '\t' && !in_path))
                return "the request target holds an encoded control byte";
            if (c == 0x7f)
                return "the request target holds an encoded control byte";
        }
        if (!in_path)
            continue;
        if (c == '/' || c == '\\') {
            if (is_dot_segment(&segment))
                return "the path holds a . or .. segment";
            segment = (struct dots){0, 0};
        } else if (c == '.') {
            segment.n_dots++;
        } else {
            segment.n_other++;
        }
    }
    return in_path && is_dot_segment(&segment) ? "the path holds a . or .. segment" : NULL;
}

static bool is_token(const char *text, size_t len)
{
    if (len == 0)
        return false;
    for (size_t i = 0; i < len; i++) {
        const char c = text[i];
        const bool is_alnum =
            (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (c == '\0' || (!is_alnum && strchr("!#$%&'*+-.^_`|~", c) == NULL))
            return false;
    }
    return true;
}

static bool has_control(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        const unsigned char c = (unsigned char)text[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return true;
    }
    return false;
}

static bool is_digits(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] < '0' || text[i] > '9')
            return false;
    return len > 0 && len <= 15;
}

static const char *check_headers(const struct guard_input *in)
{
    size_t n_length = 0, n_encoding = 0, n_host = 0;
    for (size_t i = 0; i < in->n_headers; i++) {
        const struct http_header *h = &in->headers[i];
        if (!is_token(h->name, h->name_len))
            return "a header name holds a byte that is not allowed";
        if (has_control(h->value, h->value_len))
            return "a header value holds a control byte";
        if (guard_is_name(h->name, h->name_len, "Content-Length")) {
            n_length++;
            if (!is_digits(h->value, h->value_len))
                return "Content-Length is not a plain number";
        } else if (guard_is_name(h->name, h->name_len, "Transfer-Encoding")) {
            n_encoding++;
            if (!guard_is_name(h->value, h->value_len, "chunked"))
                return "Transfer-Encoding is not chunked";
        } else if (guard_is_name(h->name, h->name_len, "Host")) {
            n_host++;
        }
    }
    if (n_length > 1)
        return "Content-Length occurs twice";
    if (n_encoding > 1)
        return "Transfer-Encoding occurs twice";
    if (n_length > 0 && n_encoding > 0)
        return "Content-Length and Transfer-Encoding stand together";
    if (n_encoding > 0 && !in->is_http_1_1)
        return "Transfer-Encoding needs HTTP/1.1";
    if (n_host > 1)
        return "Host occurs twice";
    if (n_host == 0 && in->is_http_1_1)
        return "Host is missing";
    return NULL;
}

const char *guard_check(const struct guard_input *in)
{
    if (!is_known_method(in->method))
        return "the method is not known";
    const char *reason = check_uri(in->uri, in->uri_len);
    if (reason != NULL)
        return reason;
    if (in->n_headers > GUARD_MAX_HEADERS)
        return "the request has more than 64 headers";
    return check_headers(in);
}
