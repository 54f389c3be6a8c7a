#include "tests/test.h"

#include "web/http/guard.h"

#define H(n, v)                                                                                    \
    {                                                                                              \
        n, v, sizeof(n) - 1, sizeof(v) - 1                                                         \
    }

static const char *check(const char *method, const char *uri, const struct http_header *h, size_t n)
{
    const struct guard_input in = {.method = method,
                                   .uri = uri,
                                   .uri_len = strlen(uri),
                                   .is_http_1_1 = true,
                                   .headers = h,
                                   .n_headers = n};
    return guard_check(&in);
}

static const char *check_uri(const char *uri)
{
    const struct http_header h[] = {H("Host", "a")};
    return check("GET", uri, h, 1);
}

static void test_guard_check_good(void **state)
{
    (void)state;
    const struct http_header h[] = {H("Host", "plant:8080"), H("Content-Length", "12"),
                                    H("X-Odd", "tab\tand caf\xc3\xa9")};
    assert_null(check("POST", "/api/v1/assets/P%2D101/x?from=a%20b&q=..%2f", h, 3));
    assert_null(check_uri("/"));
    assert_null(check_uri("/a/...")); /* three dots are a name */
    assert_null(check_uri("/a/.hidden"));
    assert_null(check_uri("/a?x=/../")); /* a query is no path */
}

static void test_guard_check_methods(void **state)
{
    (void)state;
    const struct http_header h[] = {H("Host", "a")};
    assert_non_null(check("TRACE", "/", h, 1));
    assert_non_null(check("CONNECT", "/", h, 1));
    assert_non_null(check("get", "/", h, 1));
    assert_null(check("DELETE", "/", h, 1));
}

static void test_guard_check_uri(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",          "*",         "a",       "http://x/",   "/a b",      "/a\x01",  "/a\x7f",
        "/\xc3\xa9", "/a#b",      "/%",      "/%4",         "/%zz",      "/a%00",   "/a?x=%00",
        "/%0a",      "/a%0d%0ab", "/%7f",    "/..",         "/../a",     "/a/..",   "/a/../b",
        "/%2e%2e/a", "/a/%2E%2e", "/a/.%2e", "/a%2f..%2fb", "/a\\..\\b", "/a%5c..", "/.",
        "/a/./b",    "/a/..?x",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (check_uri(bad[i]) == NULL)
            fail_msg("%s was let through", bad[i]);
}

static void test_guard_check_uri_length(void **state)
{
    (void)state;
    char uri[GUARD_MAX_URI + 2];
    memset(uri, 'a', sizeof(uri));
    uri[0] = '/';
    uri[GUARD_MAX_URI] = '\0';
    assert_null(check_uri(uri));
    uri[GUARD_MAX_URI] = 'a';
    uri[GUARD_MAX_URI + 1] = '\0';
    assert_non_null(check_uri(uri));
}

static void test_guard_check_smuggling(void **state)
{
    (void)state;
    const struct http_header both[] = {H("Host", "a"), H("Content-Length", "3"),
                                       H("Transfer-Encoding", "chunked")};
    const struct http_header two_lengths[] = {H("Host", "a"), H("Content-Length", "3"),
                                              H("content-length", "3")};
    const struct http_header two_codings[] = {H("Host", "a"), H("Transfer-Encoding", "chunked"),
                                              H("TRANSFER-ENCODING", "chunked")};
    const struct http_header two_hosts[] = {H("Host", "a"), H("host", "a")};
    assert_string_equal(check("POST", "/", both, 3),
                        "Content-Length and Transfer-Encoding stand together");
    assert_string_equal(check("POST", "/", two_lengths, 3), "Content-Length occurs twice");
    assert_string_equal(check("POST", "/", two_codings, 3), "Transfer-Encoding occurs twice");
    assert_string_equal(check("GET", "/", two_hosts, 2), "Host occurs twice");
    assert_string_equal(check("GET", "/", two_hosts, 0), "Host is missing");
}

static void test_guard_check_values(void **state)
{
    (void)state;
    const struct http_header bad[] = {H("Content-Length", "+3"),
                                      H("Content-Length", "3 "),
                                      H("Content-Length", "0x3"),
                                      H("Content-Length", ""),
                                      H("Content-Length", "1234567890123456"),
                                      H("Transfer-Encoding", "gzip, chunked"),
                                      H("Transfer-Encoding", "xchunked"),
                                      H("Bad Name", "x"),
                                      H("", "x"),
                                      H("X:Y", "x"),
                                      H("X-A", "a\x01"),
                                      H("X-A", "a\nb"),
                                      H("X-A", "nul\0nul"),
                                      H("X\0A", "x")};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const struct http_header h[] = {H("Host", "a"), bad[i]};
        if (check("GET", "/", h, 2) == NULL)
            fail_msg("header %zu was let through", i);
    }
}

static void test_guard_check_many_headers(void **state)
{
    (void)state;
    struct http_header h[GUARD_MAX_HEADERS];
    for (size_t i = 0; i < GUARD_MAX_HEADERS; i++)
        h[i] = (struct http_header)H("X-A", "b");
    h[0] = (struct http_header)H("Host", "a");
    assert_null(check("GET", "/", h, GUARD_MAX_HEADERS));
    assert_non_null(check("GET", "/", h, GUARD_MAX_HEADERS + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_guard_check_good),
        cmocka_unit_test(test_guard_check_methods),
        cmocka_unit_test(test_guard_check_uri),
        cmocka_unit_test(test_guard_check_uri_length),
        cmocka_unit_test(test_guard_check_smuggling),
        cmocka_unit_test(test_guard_check_values),
        cmocka_unit_test(test_guard_check_many_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
