#include "tests/test.h"

#include "app/base/clock.h"
#include "app/ics.h"

#include <stdlib.h>

/* Undoes folding and checks that every line is at most 75 octets and ends in CRLF. */
static char *unfold(const char *text)
{
    char *out = calloc(strlen(text) + 1, 1);
    size_t n = 0;
    for (const char *p = text; *p != '\0';) {
        const char *end = strstr(p, "\r\n");
        assert_non_null(end);
        assert_true(end - p <= 75);
        assert_null(memchr(p, '\n', (size_t)(end - p)));
        if (p > text && *p == ' ') {
            n -= 1; /* the newline of the line before */
            p++;
        }
        memcpy(out + n, p, (size_t)(end - p));
        n += (size_t)(end - p);
        out[n++] = '\n';
        p = end + 2;
    }
    return out;
}

static void test_ics_text_line_escapes_and_folds(void **state)
{
    struct buf b;
    buf_init(&b, 100000);
    ics_text_line(&b, "SUMMARY",
                  "Pumpe 7; Lager, R\xc3\xbc"
                  "ck\\seite\nzweite Zeile \xe2\x82\xac 1.370 am Tag und noch viel mehr Text "
                  "\xf0\x9f\x94\xa7\xf0\x9f\x94\xa7\xf0\x9f\x94\xa7\xf0\x9f\x94\xa7 Ende\x01");
    char *plain = unfold(b.data);
    assert_string_equal(plain,
                        "SUMMARY:Pumpe 7\\; Lager\\, R\xc3\xbc"
                        "ck\\\\seite\\nzweite Zeile \xe2\x82\xac 1.370 am Tag und noch viel mehr "
                        "Text \xf0\x9f\x94\xa7\xf0\x9f\x94\xa7\xf0\x9f\x94\xa7\xf0\x9f\x94\xa7 "
                        "Ende \n");
    free(plain);
    buf_free(&b);
}

static void test_ics_text_line_never_splits_utf8(void **state)
{
    for (size_t pad = 0; pad < 80; pad++) {
        struct buf b;
        char text[300];
        memset(text, 'x', pad);
        text[pad] = '\0';
        for (int i = 0; i < 40; i++)
            memcpy(text + pad + 3 * (size_t)i, "\xe2\x82\xac", 4);
        buf_init(&b, 100000);
        ics_text_line(&b, "X", text);
        for (const char *p = b.data; (p = strstr(p, "\r\n ")) != NULL; p += 3)
            assert_true(((unsigned char)p[3] & 0xc0) != 0x80);
        buf_free(&b);
    }
}

static void test_ics_put_all_day_in_dst_week(void **state)
{
    struct ft_err err;
    struct buf b;
    assert_ok(clock_set_zone("Europe/Berlin", &err), err);
    buf_init(&b, 100000);
    /* Sunday 25 October 2026 has 25 hours; the local midnight is 22:00 UTC the day before. */
    const struct ics_event e = {.uid = "wo-1@fettle",
                                .sequence = 2,
                                .stamp_ms = clock_from_local(2026, 10, 1, 12, 0, 0),
                                .start_ms = clock_from_local(2026, 10, 25, 0, 0, 0),
                                .end_ms = clock_from_local(2026, 10, 26, 6, 0, 0),
                                .is_all_day = true,
                                .summary = "P-1 bearing",
                                .status = ICS_CANCELLED};
    ics_put(&b, &e);
    assert_non_null(strstr(b.data, "DTSTART;VALUE=DATE:20261025\r\n"));
    assert_non_null(strstr(b.data, "DTEND;VALUE=DATE:20261027\r\n"));
    assert_non_null(strstr(b.data, "DTSTAMP:20261001T100000Z\r\n"));
    assert_non_null(strstr(b.data, "STATUS:CANCELLED\r\n"));
    assert_non_null(strstr(b.data, "SEQUENCE:2\r\n"));
    buf_free(&b);
    assert_ok(clock_set_zone("UTC", &err), err);
}

static void test_ics_put_timed_is_utc(void **state)
{
    struct buf b;
    buf_init(&b, 100000);
    const struct ics_event e = {.uid = "x",
                                .stamp_ms = 0,
                                .start_ms = INT64_C(1798790400000),
                                .end_ms = INT64_C(1798794000000),
                                .summary = "s"};
    ics_begin(&b, "Site", "UTC");
    ics_put(&b, &e);
    ics_end(&b);
    assert_non_null(strstr(b.data, "DTSTART:20270101T080000Z\r\nDTEND:20270101T090000Z\r\n"));
    char *plain = unfold(b.data);
    assert_int_equal(strncmp(plain, "BEGIN:VCALENDAR\nVERSION:2.0\n", 28), 0);
    free(plain);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ics_text_line_escapes_and_folds),
        cmocka_unit_test(test_ics_text_line_never_splits_utf8),
        cmocka_unit_test(test_ics_put_all_day_in_dst_week),
        cmocka_unit_test(test_ics_put_timed_is_utc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
