#include "tests/test.h"

#include "web/api/api.h"
#include "web/http/router.h"

static struct uri uri;

static enum ft_status parse(const char *text)
{
    struct ft_err err;
    return uri_parse(text, strlen(text), &uri, &err);
}

static void test_uri_parse_segments(void **state)
{
    (void)state;
    assert_int_equal(parse("/"), FT_OK);
    assert_int_equal(uri.n_segments, 0);
    assert_int_equal(parse("/a/b%2Fc/%C3%A9"), FT_OK);
    assert_int_equal(uri.n_segments, 3);
    assert_string_equal(uri.segments[1], "b/c");
    assert_string_equal(uri.segments[2], "\xc3\xa9");
    assert_int_equal(parse("/a/"), FT_OK);
    assert_int_equal(uri.n_segments, 2);
    assert_string_equal(uri.segments[1], "");
    assert_int_equal(parse("/a+b"), FT_OK);
    assert_string_equal(uri.segments[0], "a+b"); /* + is a blank in queries only */
}

static void test_uri_parse_query(void **state)
{
    (void)state;
    assert_int_equal(parse("/a?x=1&y=a%26b+c&z&&w="), FT_OK);
    assert_int_equal(uri.n_query, 4);
    assert_string_equal(uri_query(&uri, "x"), "1");
    assert_string_equal(uri_query(&uri, "y"), "a&b c");
    assert_string_equal(uri_query(&uri, "z"), "");
    assert_string_equal(uri_query(&uri, "w"), "");
    assert_null(uri_query(&uri, "v"));
    assert_int_equal(parse("/?a=b=c"), FT_OK);
    assert_string_equal(uri_query(&uri, "a"), "b=c");
}

static void test_uri_parse_bad(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "a",
                                      "/%",
                                      "/%0",
                                      "/%00",
                                      "/a?x=%g",
                                      "/%ff",
                                      "/%c0%80",
                                      "/%ed%a0%80",
                                      "/a?x=1&x=2",
                                      "/%01",
                                      "/a?%0a=1",
                                      "/1/2/3/4/5/6/7/8/9/10/11/12/13"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (parse(bad[i]) != FT_INVALID)
            fail_msg("%s was let through", bad[i]);
}

static void test_uri_parse_longest(void **state)
{
    (void)state;
    /* Every byte its own parameter name would overflow a storage that forgot the NULs. */
    char text[URI_MAX + 8];
    memset(text, 'a', sizeof(text));
    memcpy(text, "/?", 2);
    for (size_t i = 3; i < 2 * URI_MAX_QUERY; i += 2) {
        text[i] = '&';
        text[i - 1] = (char)('A' + i / 2 % 50);
    }
    struct ft_err err;
    assert_int_equal(uri_parse(text, URI_MAX - 2 * URI_MAX_QUERY, &uri, &err), FT_OK);
    assert_int_equal(uri_parse(text, URI_MAX, &uri, &err), FT_INVALID);
}

static const struct route_key table[] = {
    {"GET", "/"},          {"GET", "/a/{key}"},    {"PATCH", "/a/{key}"}, {"GET", "/a/list"},
    {"GET", "/a/{key}/b"}, {"POST", "/a/{key}/b"}, {"GET", "/h/{x}/{y}"},
};
enum { N_ROWS = sizeof(table) / sizeof(table[0]) };

static enum route_verdict find(const char *method, const char *path, struct route_match *m,
                               char allow[80])
{
    assert_int_equal(parse(path), FT_OK);
    return route_find(table, sizeof(table[0]), N_ROWS, method, &uri, m, allow, 80);
}

static void test_route_find(void **state)
{
    (void)state;
    struct route_match m;
    char allow[80];
    assert_int_equal(find("GET", "/", &m, allow), ROUTE_FOUND);
    assert_int_equal(m.row, 0);
    assert_int_equal(find("PATCH", "/a/P-101", &m, allow), ROUTE_FOUND);
    assert_int_equal(m.row, 2);
    assert_string_equal(m.params[0], "P-101");
    assert_int_equal(find("HEAD", "/a/P-101", &m, allow), ROUTE_FOUND);
    assert_int_equal(m.row, 1);
    assert_int_equal(find("GET", "/a/list", &m, allow), ROUTE_FOUND);
    assert_int_equal(m.row, 3); /* the literal wins */
    assert_int_equal(find("GET", "/h/1/2", &m, allow), ROUTE_FOUND);
    assert_int_equal(m.n_params, 2);
    assert_string_equal(m.params[1], "2");
}

static void test_route_find_none(void **state)
{
    (void)state;
    struct route_match m;
    char allow[80];
    assert_int_equal(find("GET", "/nope", &m, allow), ROUTE_NO_PATH);
    assert_int_equal(find("GET", "/a", &m, allow), ROUTE_NO_PATH);
    assert_int_equal(find("GET", "/a/", &m, allow), ROUTE_NO_PATH); /* an empty key is none */
    assert_int_equal(find("GET", "/a/x/b/c", &m, allow), ROUTE_NO_PATH);
    assert_int_equal(find("DELETE", "/a/P-101", &m, allow), ROUTE_NO_METHOD);
    assert_string_equal(allow, "GET, HEAD, PATCH");
    assert_int_equal(find("PATCH", "/a/list", &m, allow), ROUTE_NO_METHOD);
    assert_string_equal(allow, "GET, HEAD");
}

/* The real table: parameters exist, schemas exist, no two rows answer the same request. */
static void test_api_routes_are_sound(void **state)
{
    (void)state;
    for (size_t i = 0; i < api_routes_count; i++) {
        const struct route *r = &api_routes[i];
        struct route_match m;
        char allow[80], path[200];
        size_t n = 0;
        for (const char *p = r->key.pattern; *p != '\0' && n < sizeof(path) - 1; p++)
            if (*p != '{' && *p != '}')
                path[n++] = *p;
        path[n] = '\0';
        assert_int_equal(parse(path), FT_OK);
        assert_int_equal(route_find(&api_routes[0].key, sizeof(api_routes[0]), api_routes_count,
                                    r->key.method, &uri, &m, allow, sizeof(allow)),
                         ROUTE_FOUND);
        assert_int_equal(m.row, i);
        if (r->in != NULL && strcmp(r->in, "Text") != 0 && !api_has_schema(r->in))
            fail_msg("%s: no schema %s", r->key.pattern, r->in);
        for (const char *p = r->params != NULL ? r->params : ""; *p != '\0';) {
            const size_t len = strcspn(p, " ");
            bool is_known = false;
            for (size_t k = 0; k < api_params_count; k++)
                is_known = is_known || (strlen(api_params[k].name) == len &&
                                        strncmp(api_params[k].name, p, len) == 0);
            if (!is_known)
                fail_msg("%s: unknown parameter %.20s", r->key.pattern, p);
            p += len + (p[len] == ' ');
        }
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(api_routes[k].id, r->id);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_uri_parse_segments),   cmocka_unit_test(test_uri_parse_query),
        cmocka_unit_test(test_uri_parse_bad),        cmocka_unit_test(test_uri_parse_longest),
        cmocka_unit_test(test_route_find),           cmocka_unit_test(test_route_find_none),
        cmocka_unit_test(test_api_routes_are_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
