#include "app/cmms/webhook.h"

#include "app/version.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define SECRET_PREFIX "whsec_"
enum { SECRET_BYTES = 32, SECRET_MAX_BYTES = 64 };

enum ft_status webhook_new_secret(char out[WEBHOOK_SECRET_SIZE], struct ft_err *err)
{
    unsigned char secret[SECRET_BYTES];
    char text[WEBHOOK_SECRET_SIZE - 6];
    if (sodium_init() < 0)
        return ft_fail(err, FT_INTERNAL, "libsodium does not start");
    randombytes_buf(secret, sizeof(secret));
    sodium_bin2base64(text, sizeof(text), secret, sizeof(secret), sodium_base64_VARIANT_ORIGINAL);
    snprintf(out, WEBHOOK_SECRET_SIZE, SECRET_PREFIX "%s", text);
    return FT_OK;
}

enum ft_status webhook_sign(const char *secret, const char *message_id, int64_t timestamp_s,
                            const char *body, size_t body_len, char out[WEBHOOK_SIGNATURE_SIZE],
                            struct ft_err *err)
{
    unsigned char key[SECRET_MAX_BYTES], mac[crypto_auth_hmacsha256_BYTES];
    size_t key_len = 0;
    if (strncmp(secret, SECRET_PREFIX, strlen(SECRET_PREFIX)) != 0 ||
        sodium_base642bin(key, sizeof(key), secret + strlen(SECRET_PREFIX),
                          strlen(secret) - strlen(SECRET_PREFIX), NULL, &key_len, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0 ||
        key_len == 0)
        return ft_fail(err, FT_INVALID, "webhook: the secret is not whsec_ and base64");
    char head[200];
    snprintf(head, sizeof(head), "%s.%lld.", message_id, (long long)timestamp_s);
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, key, key_len);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)head, strlen(head));
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)body, body_len);
    crypto_auth_hmacsha256_final(&state, mac);
    char text[WEBHOOK_SIGNATURE_SIZE - 3];
    sodium_bin2base64(text, sizeof(text), mac, sizeof(mac), sodium_base64_VARIANT_ORIGINAL);
    snprintf(out, WEBHOOK_SIGNATURE_SIZE, "v1,%s", text);
    sodium_memzero(key, sizeof(key));
    return FT_OK;
}

struct target {
    char host[256]; /* lower case, with brackets for IPv6 */
    int port;
};

static enum ft_status parse_url(const char *url, struct target *t, struct ft_err *err)
{
    int port = 0;
    const char *p = url;
    if (strncmp(url, "https://", 8) == 0) {
        port = 443;
        p += 8;
    } else if (strncmp(url, "http://", 7) == 0) {
        port = 80;
        p += 7;
    }
    const size_t len = strcspn(p, "/?#");
    bool is_clean = port != 0 && len > 0 && len < sizeof(t->host) && strlen(url) <= 2000;
    for (const char *q = url; *q != '\0' && is_clean; q++)
        is_clean = (unsigned char)*q > 0x20 && (unsigned char)*q < 0x7f && *q != '\\';
    if (!is_clean || memchr(p, '@', len) != NULL || strchr(p, '#') != NULL)
        return ft_fail(err, FT_INVALID,
                       "expected an address such as https://cmms.example/hooks, without user name");
    for (size_t i = 0; i < len; i++)
        t->host[i] = (char)tolower((unsigned char)p[i]);
    t->host[len] = '\0';
    char *colon = strrchr(t->host, ':');
    if (colon != NULL && strchr(colon, ']') == NULL) {
        char *end = NULL;
        const long n = strtol(colon + 1, &end, 10);
        if (end == colon + 1 || *end != '\0' || n < 1 || n > 65535)
            return ft_fail(err, FT_INVALID, "the port must be a number from 1 to 65535");
        port = (int)n;
        *colon = '\0';
    }
    t->port = port;
    return FT_OK;
}

/* Does the list name host, or host:port? */
static bool is_allowed(const char *allow, const struct target *t)
{
    char with_port[300];
    snprintf(with_port, sizeof(with_port), "%s:%d", t->host, t->port);
    for (const char *p = allow; *p != '\0';) {
        p += strspn(p, ", \t");
        const size_t n = strcspn(p, ", \t");
        if (n > 0 && ((n == strlen(t->host) && strncasecmp(p, t->host, n) == 0) ||
                      (n == strlen(with_port) && strncasecmp(p, with_port, n) == 0)))
            return true;
        p += n;
    }
    return false;
}

enum ft_status webhook_check_url(const char *url, const char *allow, struct ft_err *err)
{
    struct target t;
    const enum ft_status st = parse_url(url, &t, err);
    if (st != FT_OK)
        return st;
    if (!is_allowed(allow, &t))
        return ft_fail(err, FT_REFUSED, "host %s is not named by [webhook] allow in fettle.conf",
                       t.host);
    return FT_OK;
}

struct sending {
    bool may_loop_back;
    const char *refused; /* why the address was refused */
    size_t n_read;
};

static const char *check_v4(uint32_t a, bool may_loop_back)
{
    if (a >> 24 == 127)
        return may_loop_back ? NULL : "the name leads to this machine";
    if (a >> 16 == 0xa9fe)
        return "the name leads to a link-local address";
    if (a >> 24 == 0 || a >> 28 >= 0xe)
        return "the name leads to an address that is no host";
    return NULL;
}

static const char *check_address(const struct sockaddr *addr, bool may_loop_back)
{
    if (addr->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, addr, sizeof(v4));
        return check_v4(ntohl(v4.sin_addr.s_addr), may_loop_back);
    }
    struct sockaddr_in6 v6;
    memcpy(&v6, addr, sizeof(v6));
    const struct in6_addr *a = &v6.sin6_addr;
    if (IN6_IS_ADDR_LOOPBACK(a))
        return may_loop_back ? NULL : "the name leads to this machine";
    if (IN6_IS_ADDR_V4MAPPED(a) || IN6_IS_ADDR_V4COMPAT(a)) {
        uint32_t v4;
        memcpy(&v4, &a->s6_addr[12], sizeof(v4));
        return check_v4(ntohl(v4), may_loop_back);
    }
    if (IN6_IS_ADDR_LINKLOCAL(a))
        return "the name leads to a link-local address";
    return IN6_IS_ADDR_MULTICAST(a) || IN6_IS_ADDR_UNSPECIFIED(a)
               ? "the name leads to an address that is no host"
               : NULL;
}

/* libcurl asks for a socket after it has resolved the name: the last look before connecting. */
static curl_socket_t open_socket(void *user, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct sending *s = user;
    if (purpose != CURLSOCKTYPE_IPCXN ||
        (address->family != AF_INET && address->family != AF_INET6)) {
        s->refused = "not an IP address";
        return CURL_SOCKET_BAD;
    }
    const char *reason = check_address(&address->addr, s->may_loop_back);
    if (reason != NULL) {
        s->refused = reason;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static size_t take_reply(char *data, size_t size, size_t n, void *user)
{
    (void)data;
    struct sending *s = user;
    s->n_read += size * n;
    return s->n_read > WEBHOOK_MAX_REPLY ? 0 : size * n;
}

/* libcurl calls it at least once a second while a transfer runs. */
static int on_progress(void *user, curl_off_t total, curl_off_t now, curl_off_t up_total,
                       curl_off_t up_now)
{
    const struct webhook_request *rq = user;
    (void)total;
    (void)now;
    (void)up_total;
    (void)up_now;
    return rq->is_stopped != NULL && rq->is_stopped(rq->ctx);
}

static struct curl_slist *add(struct curl_slist *list, const char *name, const char *value)
{
    char line[400];
    snprintf(line, sizeof(line), "%s: %s", name, value);
    struct curl_slist *longer = curl_slist_append(list, line);
    return longer != NULL ? longer : list;
}

static void set_options(CURL *curl, const struct webhook_request *rq, struct sending *s,
                        struct curl_slist *headers)
{
    curl_easy_setopt(curl, CURLOPT_URL, rq->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)rq->timeout_ms);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, rq->body);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(rq->body));
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "fettle/" FETTLE_VERSION);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, s);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, rq);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_reply);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, s);
}

static bool names_this_machine(const char *url)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
    struct target t;
    if (parse_url(url, &t, NULL) != FT_OK)
        return false;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(t.host, names[i]) == 0)
            return true;
    return false;
}

static void take_answer(CURL *curl, CURLcode rc, const struct sending *s,
                        struct webhook_response *out)
{
    curl_off_t retry_after_s = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &out->status);
    curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &retry_after_s);
    out->retry_after_s = retry_after_s;
    out->was_stopped = rc == CURLE_ABORTED_BY_CALLBACK;
    if (s->refused != NULL)
        snprintf(out->error, sizeof(out->error), "refused: %s", s->refused);
    else if (rc == CURLE_WRITE_ERROR)
        snprintf(out->error, sizeof(out->error), "the answer is longer than %d bytes",
                 WEBHOOK_MAX_REPLY);
    else if (rc != CURLE_OK)
        snprintf(out->error, sizeof(out->error), "%s", curl_easy_strerror(rc));
    else if (out->status < 200 || out->status > 299)
        snprintf(out->error, sizeof(out->error), "answered %ld", out->status);
}

void webhook_send(const struct webhook_request *rq, struct webhook_response *out)
{
    struct ft_err err = {FT_OK, ""};
    char signature[WEBHOOK_SIGNATURE_SIZE], timestamp[24];
    struct sending s = {.may_loop_back = names_this_machine(rq->url)};
    struct curl_slist *headers = NULL;
    *out = (struct webhook_response){0};
    if (webhook_check_url(rq->url, rq->allow, &err) != FT_OK ||
        webhook_sign(rq->secret, rq->message_id, rq->timestamp_s, rq->body, strlen(rq->body),
                     signature, &err) != FT_OK) {
        snprintf(out->error, sizeof(out->error), "%.290s", err.msg);
        return;
    }
    CURL *curl = curl_easy_init();
    if (curl == NULL) {
        snprintf(out->error, sizeof(out->error), "no memory to send");
        return;
    }
    snprintf(timestamp, sizeof(timestamp), "%lld", (long long)rq->timestamp_s);
    headers = add(headers, "Content-Type", "application/json");
    headers = add(headers, "Expect", "");
    headers = add(headers, "webhook-id", rq->message_id);
    headers = add(headers, "webhook-timestamp", timestamp);
    headers = add(headers, "webhook-signature", signature);
    set_options(curl, rq, &s, headers);
    take_answer(curl, curl_easy_perform(curl), &s, out);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
}
