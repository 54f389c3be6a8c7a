#include "tests/test.h"

#include "app/base/clock.h"
#include "app/base/rng.h"
#include "app/ingest/when.h"

static struct when cache;

static int64_t parse(const char *text)
{
    struct ft_err err;
    int64_t ts_ms = 0;
    assert_ok(when_parse(&cache, text, strlen(text), &ts_ms, &err), err);
    return ts_ms;
}

/* Random times in every form, in a zone with clock changes: the same as clock_parse(), cold or
 * warm. */
static void test_when_parse_agrees_with_clock_parse(void **state)
{
    static const char *const zones[] = {"UTC", "Europe/Berlin", "Australia/Lord_Howe",
                                        "America/Sao_Paulo"};
    static const char *const forms[] = {
        "%04d-%02d-%02dT%02d:%02d:%02d",     "%04d-%02d-%02d %02d:%02d:%02dZ",
        "%04d-%02d-%02d %02d:%02d",          "%04d-%02d-%02d",
        "%04d-%02d-%02dT%02d:%02d:%02d.250", "%04d-%02d-%02dT%02d:%02d:%02d+05:30"};
    struct ft_err err;
    for (size_t z = 0; z < 4; z++) {
        memset(&cache, 0, sizeof(cache));
        assert_ok(clock_set_zone(zones[z], &err), err);
        for (uint64_t i = 0; i < 20000; i++) {
            char text[64];
            int64_t want = 0;
            int64_t got = 0;
            const char *form = forms[rng_below(1, 0, i, 6)];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            snprintf(text, sizeof(text), form, (int)(2010 + rng_below(1, 1, i, 12)),
                     (int)rng_below(1, 2, i, 14), (int)rng_below(1, 3, i, 33),
                     (int)rng_below(1, 4, i, 25), (int)rng_below(1, 5, i, 61),
                     (int)rng_below(1, 6, i, 61));
#pragma GCC diagnostic pop
            const enum ft_status st = clock_parse(text, strlen(text), &want, NULL);
            if (when_parse(&cache, text, strlen(text), &got, NULL) != st)
                fail_msg("%s in %s: the status differs", text, zones[z]);
            if (st == FT_OK && got != want)
                fail_msg("%s in %s: got %lld, want %lld", text, zones[z], (long long)got,
                         (long long)want);
        }
    }
    assert_ok(clock_set_zone("UTC", &err), err);
}

static void test_when_parse_forms(void **state)
{
    memset(&cache, 0, sizeof(cache));
    assert_int_equal(parse("1970-01-02 00:00:01"), 86401000);
    assert_int_equal(parse(" 1970-01-02 00:00 "), 86400000);
    assert_int_equal(parse("02.01.1970 00:00"), 86400000);
    assert_int_equal(parse("02.01.1970"), 86400000);
    assert_int_equal(parse("1420092000"), INT64_C(1420092000000));
    assert_int_equal(parse("1420092000123"), INT64_C(1420092000123));
}

static void test_when_parse_refuses(void **state)
{
    static const char *const bad[] = {"",
                                      " ",
                                      "yesterday",
                                      "2015-13-01 00:00:00",
                                      "2015-02-29 00:00:00",
                                      "2015-01-01 24:10:00",
                                      "31.02.2015",
                                      "2015-01-01 10:00:00 Uhr"};
    struct ft_err err;
    int64_t ts_ms;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(when_parse(&cache, bad[i], strlen(bad[i]), &ts_ms, &err), FT_INVALID);
}

static void test_when_parse_cycles(void **state)
{
    struct when w = {.cycle_ms = MS_PER_DAY};
    struct ft_err err;
    int64_t ts_ms = 0;
    assert_ok(when_parse(&w, "192", 3, &ts_ms, &err), err);
    assert_int_equal(ts_ms, 192 * MS_PER_DAY);
    assert_ok(when_parse(&w, "12.0", 4, &ts_ms, &err), err);
    assert_int_equal(ts_ms, 12 * MS_PER_DAY);
    assert_int_equal(when_parse(&w, "1.5", 3, &ts_ms, &err), FT_INVALID);
    assert_int_equal(when_parse(&w, "-1", 2, &ts_ms, &err), FT_INVALID);
    assert_int_equal(when_parse(&w, "99999999999999999999", 20, &ts_ms, &err), FT_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_when_parse_agrees_with_clock_parse),
        cmocka_unit_test(test_when_parse_forms),
        cmocka_unit_test(test_when_parse_refuses),
        cmocka_unit_test(test_when_parse_cycles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
