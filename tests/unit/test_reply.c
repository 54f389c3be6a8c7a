#include "tests/test.h"

#include "app/base/json.h"
#include "web/http/reply.h"

#include <stdlib.h>
#include <zlib.h>

static void test_reply_status_of_each(void **state)
{
    (void)state;
    assert_int_equal(reply_status_of(FT_OK), 200);
    assert_int_equal(reply_status_of(FT_INVALID), 400);
    assert_int_equal(reply_status_of(FT_NOT_FOUND), 404);
    assert_int_equal(reply_status_of(FT_CONFLICT), 409);
    assert_int_equal(reply_status_of(FT_REFUSED), 403);
    assert_int_equal(reply_status_of(FT_TOO_FEW), 422);
    assert_int_equal(reply_status_of(FT_BUSY), 503);
    assert_int_equal(reply_status_of(FT_INTERNAL), 500);
}

static void test_reply_problem_pointer(void **state)
{
    (void)state;
    struct http_reply r;
    struct ft_err err;
    cJSON *body = NULL;
    reply_init(&r);
    reply_problem(&r, 422, "invalid", "/items/3/value: expected a number", "abc");
    assert_int_equal(r.status, 422);
    assert_string_equal(r.content_type, "application/problem+json");
    assert_ok(json_parse(r.body.data, r.body.len, &body, &err), err);
    assert_string_equal(json_get(body, "type")->valuestring, "/problems/invalid");
    assert_string_equal(json_get(body, "request_id")->valuestring, "abc");
    const cJSON *first = cJSON_GetArrayItem(json_get(body, "errors"), 0);
    assert_string_equal(json_get(first, "pointer")->valuestring, "/items/3/value");
    assert_string_equal(json_get(first, "detail")->valuestring, "expected a number");
    cJSON_Delete(body);
    reply_problem(&r, 503, "busy", "later", NULL);
    assert_true(r.retry_after_s > 0);
    assert_null(strstr(r.body.data, "errors"));
    reply_free(&r);
}

static void test_reply_csv(void **state)
{
    (void)state;
    struct http_reply r;
    struct ft_err err;
    cJSON *items = NULL;
    static const char text[] = "[{\"a\":null,\"b\":\"x,y\",\"l\":[1]},"
                               "{\"a\":1.5,\"b\":\"=cmd()\",\"o\":{\"v\":2,\"w\":null}}]";
    reply_init(&r);
    assert_ok(json_parse(text, sizeof(text) - 1, &items, &err), err);
    assert_ok(reply_csv(&r, items, &err), err);
    assert_string_equal(r.body.data, "b,a,o_v,o_w\r\n\"x,y\",,,\r\n\"'=cmd()\",1.5,2,\r\n");
    cJSON_Delete(items);
    reply_free(&r);
}

static void test_reply_etag_matches(void **state)
{
    (void)state;
    assert_true(reply_etag_matches("\"a\"", "\"a\"", false));
    assert_true(reply_etag_matches("\"b\", \"a\"", "\"a\"", false));
    assert_true(reply_etag_matches("*", "\"a\"", false));
    assert_true(reply_etag_matches("W/\"a\"", "\"a\"", true));
    assert_false(reply_etag_matches("W/\"a\"", "\"a\"", false));
    assert_false(reply_etag_matches("\"aa\"", "\"a\"", true));
    assert_false(reply_etag_matches("a", "\"a\"", true));
    assert_false(reply_etag_matches("\"a", "\"a\"", true));
    assert_false(reply_etag_matches("", "\"a\"", true));
    assert_false(reply_etag_matches("W/", "\"a\"", true));
}

static void test_reply_accepts(void **state)
{
    (void)state;
    assert_true(reply_accepts("text/csv", "text/csv"));
    assert_true(reply_accepts("application/json;q=0.5, text/csv", "text/csv"));
    assert_false(reply_accepts("application/json, text/csv;q=0.9", "text/csv"));
    assert_false(reply_accepts("*/*", "text/csv"));
    assert_false(reply_accepts(NULL, "text/csv"));
    assert_false(reply_accepts("text/csv;q=0", "text/csv"));
    assert_true(reply_accepts_gzip("gzip, deflate, br"));
    assert_false(reply_accepts_gzip("gzip;q=0"));
    assert_false(reply_accepts_gzip("br"));
    assert_false(reply_accepts_gzip(NULL));
}

static void test_reply_gzip_round_trip(void **state)
{
    (void)state;
    struct ft_err err;
    struct buf packed;
    char text[5000], back[6000];
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (char)('a' + i % 7);
    buf_init(&packed, 100000);
    assert_ok(reply_gzip(text, sizeof(text), &packed, &err), err);
    assert_true(packed.len < sizeof(text) / 10);
    z_stream z = {0};
    assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
    z.next_in = (Bytef *)packed.data;
    z.avail_in = (uInt)packed.len;
    z.next_out = (Bytef *)back;
    z.avail_out = sizeof(back);
    assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
    assert_int_equal(z.total_out, sizeof(text));
    assert_memory_equal(back, text, sizeof(text));
    inflateEnd(&z);
    buf_free(&packed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reply_status_of_each),
        cmocka_unit_test(test_reply_problem_pointer),
        cmocka_unit_test(test_reply_csv),
        cmocka_unit_test(test_reply_etag_matches),
        cmocka_unit_test(test_reply_accepts),
        cmocka_unit_test(test_reply_gzip_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
