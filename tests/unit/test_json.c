#include "tests/test.h"

#include "app/base/json.h"

#include <stdlib.h>

static cJSON *parse(const char *text)
{
    struct ft_err err;
    cJSON *v = NULL;
    assert_ok(json_parse(text, strlen(text), &v, &err), err);
    return v;
}

static void expect_refused(const char *text, size_t len, const char *word)
{
    struct ft_err err;
    cJSON *v = (cJSON *)1;
    if (json_parse(text, len, &v, &err) != FT_INVALID)
        fail_msg("'%.*s' was taken", (int)len, text);
    assert_null(v);
    if (strstr(err.msg, word) == NULL)
        fail_msg("'%.*s': the text '%s' lacks '%s'", (int)len, text, err.msg, word);
}

static void test_json_parse_refuses(void **state)
{
    static const struct {
        const char *text, *word;
    } bad[] = {{"", "empty"},
               {"{", "not valid"},
               {"nul", "not valid"},
               {"[1,]", "not valid"},
               {"{\"a\":1} x", "after the value"},
               {"1 2", "after the value"},
               {"{\"a\":1,\"b\":{\"c\":1,\"c\":2}}", "twice"},
               {"[{\"a\":1,\"a\":1}]", "twice"},
               {"\"a\tb\"", "control"},
               {"\"\\u0000\"", "u0000"},
               {"{\"a\\u0000b\":1}", "u0000"},
               {"\"\xff\"", "UTF-8"},
               {"\"\xc0\xaf\"", "UTF-8"},
               {"\"\xed\xa0\x80\"", "UTF-8"},
               {"\"\xf4\x90\x80\x80\"", "UTF-8"},
               {"\"\xe2\x82\"", "UTF-8"},
               {"\x01", "control"}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        expect_refused(bad[i].text, strlen(bad[i].text), bad[i].word);
    expect_refused("[1]\0", 4, "control");
    expect_refused("\"a\0b\"", 5, "control");
}

static void test_json_parse_numbers_are_json_numbers(void **state)
{
    static const char *const bad[] = {"+1", ".5",  "1.",  "01", "0x10",
                                      "1e", "--1", "NaN", "-",  "[01]"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        expect_refused(bad[i], strlen(bad[i]), "JSON");
    static const char *const good[] = {"0", "-0", "10", "1.5e-3", "-1E+5", "[0,0.5,-2]"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        cJSON_Delete(parse(good[i]));
}

static void test_json_parse_depth(void **state)
{
    char text[2 * JSON_MAX_DEPTH + 3];
    memset(text, '[', JSON_MAX_DEPTH);
    memset(text + JSON_MAX_DEPTH, ']', JSON_MAX_DEPTH);
    text[2 * JSON_MAX_DEPTH] = '\0';
    cJSON_Delete(parse(text));
    memset(text, '[', JSON_MAX_DEPTH + 1);
    memset(text + JSON_MAX_DEPTH + 1, ']', JSON_MAX_DEPTH + 1);
    expect_refused(text, 2 * JSON_MAX_DEPTH + 2, "deeper");
    cJSON_Delete(parse("\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\""));
    cJSON_Delete(parse("\"\\\\\\\"[\""));
}

static void test_json_parse_takes_valid_text(void **state)
{
    cJSON *v = parse(" {\"a\": [1, 2.5, \"x\\u00e9\\\\u0000\"], \"A\": null, \"\": true}\r\n");
    assert_true(cJSON_IsNull(json_get(v, "A")));
    assert_true(cJSON_IsArray(json_get(v, "a")));
    assert_null(json_get(v, "b"));
    cJSON_Delete(v);
}

static void test_json_getters_types_and_absence(void **state)
{
    cJSON *v = parse("{\"s\":\"x\",\"n\":1.5,\"i\":7,\"b\":true,\"a\":[],\"o\":{},\"z\":null}");
    struct ft_err err;
    const char *s = "kept";
    double n = 9;
    int64_t i = 9;
    bool b = false;
    const cJSON *part = NULL;
    assert_ok(json_string(v, "s", true, &s, &err), err);
    assert_string_equal(s, "x");
    assert_ok(json_number(v, "n", true, &n, &err), err);
    assert_close(n, 1.5, 0);
    assert_ok(json_int(v, "i", true, 0, 7, &i, &err), err);
    assert_int_equal(i, 7);
    assert_ok(json_bool(v, "b", true, &b, &err), err);
    assert_true(b);
    assert_ok(json_array(v, "a", true, &part, &err), err);
    assert_ok(json_object(v, "o", true, &part, &err), err);
    assert_ok(json_string(v, "z", false, &s, &err), err);
    assert_ok(json_number(v, "missing", false, &n, &err), err);
    assert_string_equal(s, "x");
    assert_int_equal(json_string(v, "z", true, &s, &err), FT_INVALID);
    assert_int_equal(json_number(v, "s", true, &n, &err), FT_INVALID);
    assert_non_null(strstr(err.msg, "/s"));
    assert_int_equal(json_int(v, "n", true, 0, 10, &i, &err), FT_INVALID);
    assert_int_equal(json_int(v, "i", true, 8, 10, &i, &err), FT_INVALID);
    assert_int_equal(json_bool(v, "i", true, &b, &err), FT_INVALID);
    assert_int_equal(json_array(v, "o", true, &part, &err), FT_INVALID);
    assert_int_equal(json_object(v, "a", true, &part, &err), FT_INVALID);
    cJSON_Delete(v);
}

static void test_json_number_refuses_overflow(void **state)
{
    struct ft_err err;
    double n = 9;
    cJSON *v = NULL;
    /* cJSON reads 1e999 as infinity. */
    if (json_parse("{\"n\":1e999}", 11, &v, &err) == FT_OK)
        assert_int_equal(json_number(v, "n", true, &n, &err), FT_INVALID);
    assert_close(n, 9, 0);
    cJSON_Delete(v);
}

static void test_json_instant_forms(void **state)
{
    cJSON *v = parse("{\"t\":\"2026-11-21T06:42:00Z\",\"s\":1420092000,\"ms\":1420092000123,"
                     "\"bad\":\"soon\",\"b\":true}");
    struct ft_err err;
    int64_t t = 0;
    assert_ok(json_instant(v, "t", true, &t, &err), err);
    assert_int_equal(t, INT64_C(1795243320000));
    assert_ok(json_instant(v, "s", true, &t, &err), err);
    assert_int_equal(t, INT64_C(1420092000000));
    assert_ok(json_instant(v, "ms", true, &t, &err), err);
    assert_int_equal(t, INT64_C(1420092000123));
    assert_int_equal(json_instant(v, "bad", true, &t, &err), FT_INVALID);
    assert_int_equal(json_instant(v, "b", true, &t, &err), FT_INVALID);
    assert_int_equal(json_instant(v, "none", true, &t, &err), FT_INVALID);
    assert_ok(json_instant(v, "none", false, &t, &err), err);
    cJSON_Delete(v);
}

static void test_json_only_keys_names_the_stranger(void **state)
{
    static const char *const keys[] = {"a", "b", NULL};
    cJSON *v = parse("{\"a\":1,\"B\":2}");
    struct ft_err err;
    assert_int_equal(json_only_keys(v, keys, &err), FT_INVALID);
    assert_non_null(strstr(err.msg, "/B"));
    cJSON_Delete(v);
    v = parse("{\"b\":1}");
    assert_ok(json_only_keys(v, keys, &err), err);
    cJSON_Delete(v);
    v = parse("[\"a\"]");
    assert_int_equal(json_only_keys(v, keys, &err), FT_INVALID);
    assert_non_null(strstr(err.msg, "not a list"));
    cJSON_Delete(v);
}

static void test_json_builders(void **state)
{
    cJSON *v = cJSON_CreateObject();
    json_add_string(v, "s", "x");
    json_add_string(v, "none", NULL);
    json_add_number(v, "nan", NAN);
    json_add_number(v, "pi", 3.25);
    json_add_int(v, "i", INT64_C(1) << 53);
    json_add_bool(v, "b", true);
    json_add_instant(v, "t", 1500);
    json_add_money(v, "m", 1234, "EUR");
    json_add_int(json_add_array(v, "a"), NULL, 1);
    json_add_null(json_add_object(v, "o"), "z");
    char *text = json_print(v, false);
    assert_string_equal(text,
                        "{\"s\":\"x\",\"none\":null,\"nan\":null,\"pi\":3.25,"
                        "\"i\":9007199254740992,\"b\":true,\"t\":\"1970-01-01T00:00:01.500Z\","
                        "\"m\":12.34,\"a\":[1],\"o\":{\"z\":null}}");
    free(text);
    cJSON_Delete(v);
    json_add_string(NULL, "a", "b"); /* memory was gone before: nothing happens */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_parse_refuses),
        cmocka_unit_test(test_json_parse_numbers_are_json_numbers),
        cmocka_unit_test(test_json_parse_depth),
        cmocka_unit_test(test_json_parse_takes_valid_text),
        cmocka_unit_test(test_json_getters_types_and_absence),
        cmocka_unit_test(test_json_number_refuses_overflow),
        cmocka_unit_test(test_json_instant_forms),
        cmocka_unit_test(test_json_only_keys_names_the_stranger),
        cmocka_unit_test(test_json_builders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
