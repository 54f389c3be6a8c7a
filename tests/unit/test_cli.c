#include "tests/test.h"

#include "app/cli/cli.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

struct values {
    bool as_json;
    const char *word;
    int64_t n, dur_ms, at_ms, bytes;
    double x;
    const char *words[2];
    size_t n_words;
};

/* Runs cli_parse() with messages out of sight. */
static int parse(struct values *v, int argc, const char **argv)
{
    const struct cli_flag flags[] = {{"--json,-j", CLI_BOOL, &v->as_json, NULL, "print JSON"},
                                     {"--class", CLI_STRING, &v->word, "K", "class"},
                                     {"--n", CLI_INT, &v->n, "N", "number"},
                                     {"--x", CLI_NUMBER, &v->x, "X", "number"},
                                     {"--horizon", CLI_DURATION, &v->dur_ms, "DUR", "span"},
                                     {"--at", CLI_INSTANT, &v->at_ms, "TIME", "when"},
                                     {"--memory", CLI_SIZE, &v->bytes, "SIZE", "bytes"}};
    const struct cli_usage usage = {.examples = "fettle x\nfettle x --json",
                                    .synopsis = "fettle x",
                                    .text = "Text.",
                                    .flags = flags,
                                    .n_flags = 7};
    fflush(NULL);
    const int out = dup(STDOUT_FILENO);
    const int err = dup(STDERR_FILENO);
    const int null = open("/dev/null", O_WRONLY);
    dup2(null, STDOUT_FILENO);
    dup2(null, STDERR_FILENO);
    const int code = cli_parse(&usage, argc, (char **)argv, v->words, 2, &v->n_words);
    fflush(NULL);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    close(out);
    close(err);
    close(null);
    return code;
}

static void test_cli_parse_every_kind(void **state)
{
    struct values v = {0};
    const char *argv[] = {
        "x",   "--json", "--class=pump",         "one",      "--n",  "-7", "--x=2.5", "--horizon",
        "24h", "--at",   "1970-01-02T00:00:00Z", "--memory", "1MiB", "two"};
    assert_int_equal(parse(&v, 14, argv), -1);
    assert_true(v.as_json);
    assert_string_equal(v.word, "pump");
    assert_int_equal(v.n, -7);
    assert_close(v.x, 2.5, 0);
    assert_int_equal(v.dur_ms, 86400000);
    assert_int_equal(v.at_ms, 86400000);
    assert_int_equal(v.bytes, 1 << 20);
    assert_int_equal(v.n_words, 2);
    assert_string_equal(v.words[0], "one");
    assert_string_equal(v.words[1], "two");
}

static void test_cli_parse_short_dash_and_end_of_flags(void **state)
{
    struct values v = {0};
    const char *argv[] = {"x", "-j", "-", "--", "--n"};
    assert_int_equal(parse(&v, 5, argv), -1);
    assert_true(v.as_json);
    assert_string_equal(v.words[0], "-");
    assert_string_equal(v.words[1], "--n");
}

static void test_cli_parse_usage_errors(void **state)
{
    static const char *const bad[][3] = {
        {"x", "--nope", NULL},       {"x", "--n", NULL},
        {"x", "--n=1.5", NULL},      {"x", "--n=", NULL},
        {"x", "--x=abc", NULL},      {"x", "--x=inf", NULL},
        {"x", "--horizon=5", NULL},  {"x", "--at=soon", NULL},
        {"x", "--memory=5Q", NULL},  {"x", "--json=1", NULL},
        {"x", "--jso", NULL},        {"x", "--n=99999999999999999999", NULL},
        {"x", "--memory=nan", NULL}, {"x", "--memory=-1", NULL}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct values v = {.n = 5};
        const char *argv[] = {bad[i][0], bad[i][1]};
        if (parse(&v, 2, argv) != 2)
            fail_msg("%s was taken", bad[i][1]);
        assert_int_equal(v.n, 5);
    }
    struct values v = {0};
    const char *argv[] = {"x", "one", "two", "three"};
    assert_int_equal(parse(&v, 4, argv), 2);
}

static void test_cli_parse_help_is_exit_0(void **state)
{
    struct values v = {0};
    const char *argv[] = {"x", "--help"};
    assert_int_equal(parse(&v, 2, argv), 0);
}

static void test_cli_db_path_order(void **state)
{
    struct values v = {0};
    unsetenv("FETTLE_DB");
    assert_string_equal(cli_db_path(), "fettle.db");
    setenv("FETTLE_DB", "/tmp/from-environment.db", 1);
    assert_string_equal(cli_db_path(), "/tmp/from-environment.db");
    const char *argv[] = {"x", "--db", "/tmp/from-flag.db"};
    assert_int_equal(parse(&v, 3, argv), -1);
    assert_string_equal(cli_db_path(), "/tmp/from-flag.db");
    unsetenv("FETTLE_DB");
}

static void test_cli_is_interrupted_after_signal(void **state)
{
    cli_catch_signals();
    assert_false(cli_is_interrupted());
    kill(getpid(), SIGINT);
    assert_true(cli_is_interrupted());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cli_parse_every_kind),
        cmocka_unit_test(test_cli_parse_short_dash_and_end_of_flags),
        cmocka_unit_test(test_cli_parse_usage_errors),
        cmocka_unit_test(test_cli_parse_help_is_exit_0),
        cmocka_unit_test(test_cli_db_path_order),
        cmocka_unit_test(test_cli_is_interrupted_after_signal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
