#include "tests/test.h"

#include "app/ingest/live.h"
#include "app/ingest/mqtt_message.h"

#include <string.h>

enum { NOW_MS = 1000000 };

static struct ft_err err;

static void expect_match(const char *text, const char *topic, const char *asset, const char *sensor)
{
    struct topic_template t;
    char a[TOPIC_SIZE];
    char s[TOPIC_SIZE];
    assert_ok(topic_template_parse(text, &t, &err), err);
    if (!topic_match(&t, topic, a, s))
        fail_msg("%s does not match %s", text, topic);
    assert_string_equal(a, asset);
    assert_string_equal(s, sensor);
}

static void test_topic_match(void **state)
{
    (void)state;
    expect_match("plant/{asset}/{sensor}", "plant/P-101/temp", "P-101", "temp");
    expect_match("plant/+/+", "plant/P-101/temp", "P-101", "temp");
    expect_match("plant/+/{sensor}/x/{asset}", "plant/a/b/x/c", "c", "b");
    expect_match("{asset}", "a", "a", "");
    expect_match("a/#", "a/b/c", "", "");
    expect_match("a/#", "a", "", "");
    expect_match("+/+/+", "a/b/c", "a", "b");
    expect_match("#", "/x", "", "");
    static const char *const no[][2] = {{"a/+", "a"},  {"a/+", "a/b/c"}, {"a/+", "b/c"},
                                        {"a/+", "a/"}, {"a", "a/"},      {"a", "ab"},
                                        {"a/b", "a"},  {"a/+/#", "a"}};
    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
        struct topic_template t;
        char a[TOPIC_SIZE];
        char s[TOPIC_SIZE];
        assert_ok(topic_template_parse(no[i][0], &t, &err), err);
        if (topic_match(&t, no[i][1], a, s))
            fail_msg("%s matches %s", no[i][0], no[i][1]);
    }
}

static void test_topic_template_parse(void **state)
{
    (void)state;
    struct topic_template t;
    assert_ok(topic_template_parse("a/{asset}/+/#", &t, &err), err);
    assert_string_equal(t.filter, "a/+/+/#");
    static const char *const bad[] = {"",
                                      "a/#/b",
                                      "{asset}/{asset}",
                                      "a+/b",
                                      "{other}",
                                      "a/b#",
                                      "1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (topic_template_parse(bad[i], &t, &err) != FT_INVALID)
            fail_msg("%s was let through", bad[i]);
}

/* Number of readings and refusals that a payload gives. */
static void expect_counts(const char *template, const char *topic, const char *payload, size_t n,
                          size_t n_refused)
{
    const struct live_options o = {
        .mapping = {"", ""}, .class_name = "c", .limits = {false, 1000, 10}};
    const struct message_mapping mapping = {"value", "time", "asset", "sensor"};
    struct topic_template t;
    struct live *l = NULL;
    struct live_batch *b = NULL;
    size_t n_kept = 0, n_all = 0;
    assert_ok(topic_template_parse(template, &t, &err), err);
    assert_ok(live_new(&o, &l, &err), err);
    assert_ok(live_batch_new(l, &b, &err), err);
    assert_ok(message_add(b, &t, 1, &mapping, topic, payload, strlen(payload), 1, NOW_MS, &err),
              err);
    live_refusals(b, &n_kept, &n_all);
    if (live_batch_count(b) != n || n_all != n_refused)
        fail_msg("%s: %zu readings, %zu refused", payload, live_batch_count(b), n_all);
    live_batch_free(b);
    live_free(l);
}

static void test_message_add(void **state)
{
    (void)state;
    static const struct {
        const char *payload;
        size_t n, n_refused;
    } both[] = {{"1", 1, 0},
                {" -1.5e3\n", 1, 0},
                {"true", 1, 0},
                {"{\"value\":1}", 1, 0},
                {"{\"value\":false,\"time\":999}", 1, 0},
                {"{\"value\":1,\"sensor\":\"x\",\"asset\":\"y\"}", 1, 0},
                {"[{\"value\":1},{\"value\":2,\"time\":5}]", 2, 0},
                {"[{\"value\":1},3,\"x\"]", 1, 2},
                {"[]", 0, 0},
                {"", 0, 1},
                {"warm", 0, 1},
                {"NaN", 0, 1},
                {"1e999", 0, 1},
                {"{}", 0, 1},
                {"{\"value\":\"1\"}", 0, 1},
                {"{\"value\":1,\"time\":\"soon\"}", 0, 1},
                {"{\"value\":1,\"time\":99999999}", 0, 1}, /* ahead of the clock */
                {"{\"value\":1", 0, 1}};
    for (size_t i = 0; i < sizeof(both) / sizeof(both[0]); i++)
        expect_counts("{asset}/{sensor}", "a/s", both[i].payload, both[i].n, both[i].n_refused);
    expect_counts("{asset}", "a", "{\"t\":1,\"v\":2,\"name\":\"x\",\"time\":5}", 2, 0);
    expect_counts("{asset}", "a", "{\"name\":\"x\"}", 0, 1);
    expect_counts("{asset}", "a", "5", 0, 1);
    expect_counts("#", "x", "{\"value\":1,\"sensor\":\"s\"}", 0, 1);
    expect_counts("a/b", "other", "5", 0, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_topic_match),
        cmocka_unit_test(test_topic_template_parse),
        cmocka_unit_test(test_message_add),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
