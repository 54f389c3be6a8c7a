#include "tests/test.h"

#include "app/life_table.h"

#include <stdlib.h>
#include <unistd.h>

static enum ft_status read_text(const char *text, const struct life_columns *columns,
                                struct life_table *t, struct ft_err *err)
{
    char path[] = "/tmp/fettle-life-XXXXXX";
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    const struct life_columns none = {0};
    const enum ft_status st = life_table_read(path, columns != NULL ? columns : &none, t, err);
    unlink(path);
    return st;
}

static void test_life_table_guesses_columns(void **state)
{
    struct life_table t;
    struct ft_err err;
    assert_ok(read_text("unit,Hours,mode,Event,Count\n"
                        "7,10,a,Failed,2\n8,20,b,Censored,3\n9,30,a,FAIL,1\n",
                        NULL, &t, &err),
              err);
    assert_int_equal(t.n, 3);
    assert_string_equal(t.time_column, "Hours");
    assert_string_equal(t.event_column, "Event");
    assert_string_equal(t.count_column, "Count");
    assert_string_equal(t.entry_column, "");
    assert_null(t.entry);
    assert_true(t.failed[0] && !t.failed[1] && t.failed[2]);
    assert_close(t.count[1], 3, 0);
    assert_close(t.time[2], 30, 0);
    life_table_free(&t);
    /* No usual name: the first column of numbers, and the column of 0 and 1. */
    assert_ok(read_text("who;spent;x\nA;1,5;1\nB;2,5;0\n", NULL, &t, &err), err);
    assert_string_equal(t.time_column, "spent");
    assert_string_equal(t.event_column, "x");
    assert_close(t.time[1], 2.5, 0);
    assert_true(t.failed[0] && !t.failed[1]);
    life_table_free(&t);
    assert_ok(read_text("megacycles\n17.88\n28.92\n", NULL, &t, &err), err);
    assert_string_equal(t.event_column, "");
    assert_true(t.failed[0] && t.failed[1]);
    life_table_free(&t);
}

static void test_life_table_takes_every_event_word(void **state)
{
    struct life_table t;
    struct ft_err err;
    assert_ok(read_text("t,status\n1,1\n1,true\n1,F\n1,failure\n1,0\n1,false\n1,C\n1,suspended\n"
                        "1,survived\n1,S\n",
                        NULL, &t, &err),
              err);
    for (size_t i = 0; i < 10; i++)
        assert_int_equal(t.failed[i], i < 4);
    life_table_free(&t);
    /* A column named censored counts the other way round. */
    assert_ok(read_text("t,censored\n1,1\n2,0\n3,yes\n4,failed\n", NULL, &t, &err), err);
    assert_false(t.failed[0]);
    assert_true(t.failed[1]);
    assert_false(t.failed[2]);
    assert_true(t.failed[3]);
    life_table_free(&t);
}

static void test_life_table_takes_named_columns(void **state)
{
    const struct life_columns named = {.time = "b", .event = "d", .entry = "a"};
    struct life_table t;
    struct ft_err err;
    assert_ok(read_text("a,b,c,d\n1,5,9,1\n,6,9,0\n", &named, &t, &err), err);
    assert_close(t.time[0], 5, 0);
    assert_close(t.entry[0], 1, 0);
    assert_close(t.entry[1], 0, 0);
    assert_false(t.failed[1]);
    life_table_free(&t);
    const struct life_columns wrong = {.time = "z"};
    assert_int_equal(read_text("a,b\n1,2\n", &wrong, &t, &err), FT_INVALID);
    assert_non_null(strstr(err.msg, "\"z\""));
    const struct life_columns twice = {.time = "a", .event = "a"};
    assert_int_equal(read_text("a,b\n1,2\n", &twice, &t, &err), FT_INVALID);
    assert_non_null(strstr(err.msg, "twice"));
}

static void test_life_table_intervals(void **state)
{
    struct life_table t;
    struct ft_err err;
    assert_ok(read_text("lower,upper,n\n0,50,2\n,60,1\n50,100,3\n70,70,1\n100,,5\n80,inf,1\n", NULL,
                        &t, &err),
              err);
    assert_string_equal(t.time_column, "lower");
    assert_string_equal(t.upper_column, "upper");
    static const double lower[] = {0, 0, 50, 70, 100, 80}, upper[] = {50, 60, 100, 0, 0, 0};
    for (size_t i = 0; i < 6; i++) {
        assert_close(t.time[i], lower[i], 0);
        assert_close(t.upper[i], upper[i], 0);
        assert_int_equal(t.failed[i], i < 4);
    }
    life_table_free(&t);
    const struct life_columns named = {.lower = "a", .upper = "b"};
    static const char *const bad[][2] = {
        {"a,b\n5,4\n", "column b"},        {"a,b\n0,\n", "column a"},
        {"a,b\n0,0\n", "column b"},        {"a,b\nx,3\n", "column a"},
        {"a,b,event\n5,,1\n", "censored"}, {"a,b,event\n5,6,0\n", "failed"},
        {"a,c\n5,6\n", "no column \"b\""}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(read_text(bad[i][0], &named, &t, &err), FT_INVALID);
        if (strstr(err.msg, bad[i][1]) == NULL)
            fail_msg("%s lacks %s", err.msg, bad[i][1]);
    }
    const struct life_columns both = {.time = "a", .lower = "a", .upper = "b"};
    assert_int_equal(read_text("a,b\n1,2\n", &both, &t, &err), FT_INVALID);
}

static void test_life_table_modes_and_assets(void **state)
{
    struct life_table t;
    struct ft_err err;
    const struct life_columns mode = {.mode = "why"};
    assert_ok(read_text("t,why\n5,seal\n6,\n7,bearing\n8,censored\n9,seal\n", &mode, &t, &err),
              err);
    assert_int_equal(t.mode.n, 2);
    assert_string_equal(t.mode.names[0], "seal");
    assert_string_equal(t.mode.names[1], "bearing");
    assert_int_equal(t.mode.of[4], 0);
    assert_int_equal(t.mode.of[2], 1);
    assert_true(t.mode.of[3] == LIFE_NO_LABEL && !t.failed[3] && !t.failed[1]);
    life_table_free(&t);
    const struct life_columns asset = {.asset = "engine"};
    assert_ok(read_text("engine,days,event\nE2,98,replacement\nE1,700,end\nE2,667,end\n", &asset,
                        &t, &err),
              err);
    assert_int_equal(t.asset.n, 2);
    assert_string_equal(t.asset.names[0], "E2");
    assert_int_equal(t.asset.of[2], 0);
    assert_true(t.failed[0] && !t.failed[1]);
    life_table_free(&t);
}

static void test_life_table_refuses_bad_rows(void **state)
{
    static const struct {
        const char *text, *expected;
    } bad[] = {
        {"t,event\n1,1\n0,1\n", "line 3, column t"},
        {"t,event\n1,1\n-2,1\n", "above 0"},
        {"t,event\n1,1\nabc,1\n", "\"abc\""},
        {"t,event\n1,1\n,1\n", "line 3, column t"},
        {"t,event\n1,1\n2,perhaps\n", "line 3, column event"},
        {"t,event\n1,1\n2,\n", "column event"},
        {"t,event,entry\n1,1,0\n2,1,2\n", "line 3, column entry"},
        {"t,event,entry\n1,1,0\n2,1,-1\n", "column entry"},
        {"t,event,count\n1,1,1.5\n", "whole number"},
        {"t,event,count\n1,1,-1\n", "whole number"},
        {"t,event\n1,1\n2\n", "expected 2"},
        {"1,2\n3,4\n", "names of the columns"},
        {"t,event\n", "no rows"},
        {"name\nbob\n", "--time-col"},
    };
    struct life_table t;
    struct ft_err err;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(read_text(bad[i].text, NULL, &t, &err), FT_INVALID);
        if (strstr(err.msg, bad[i].expected) == NULL)
            fail_msg("\"%s\" does not say \"%s\"", err.msg, bad[i].expected);
        assert_null(t.time);
    }
    const struct life_columns none = {0};
    assert_int_equal(life_table_read("/nowhere/at/all.csv", &none, &t, &err), FT_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_life_table_guesses_columns),
        cmocka_unit_test(test_life_table_takes_every_event_word),
        cmocka_unit_test(test_life_table_takes_named_columns),
        cmocka_unit_test(test_life_table_intervals),
        cmocka_unit_test(test_life_table_modes_and_assets),
        cmocka_unit_test(test_life_table_refuses_bad_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
