/* Payloads are bytes written by hand after the field numbers of the specification. */
#include "tests/test.h"

#include "app/ingest/live.h"
#include "app/ingest/sparkplug.h"

#include <stdlib.h>
#include <string.h>

enum { NOW_MS = 100000 };

static struct ft_err err;
static char kept[1000]; /* what was saved last */

static enum ft_status put(void *ctx, const char *key, const char *text, struct ft_err *e)
{
    (void)ctx;
    (void)e;
    snprintf(kept, sizeof(kept), "%s=%s", key, text);
    return FT_OK;
}

static char *load(void *ctx, const char *key)
{
    (void)ctx;
    const size_t len = strlen(key);
    return strncmp(kept, key, len) == 0 && kept[len] == '=' ? strdup(kept + len + 1) : NULL;
}

struct fixture {
    struct live *live;
    struct live_batch *batch;
    struct sparkplug *s;
};

static struct fixture start(sparkplug_load fn)
{
    const struct live_options o = {
        .mapping = {"", ""}, .class_name = "c", .limits = {false, 1000, 10}};
    struct fixture f = {0};
    assert_ok(live_new(&o, &f.live, &err), err);
    assert_ok(live_batch_new(f.live, &f.batch, &err), err);
    assert_ok(sparkplug_new(fn, NULL, &f.s, &err), err);
    return f;
}

static void stop(struct fixture *f)
{
    sparkplug_free(f->s);
    live_batch_free(f->batch);
    live_free(f->live);
}

static void add(struct fixture *f, const char *topic, const char *payload, size_t len)
{
    assert_ok(sparkplug_add(f->s, f->batch, topic, payload, len, 1, NOW_MS, &err), err);
}

static size_t refused(const struct fixture *f)
{
    size_t n = 0, n_all = 0;
    live_refusals(f->batch, &n, &n_all);
    return n_all;
}

/* seq 0; metric "a", alias 5, Int16 (2), int_value 65535 = -1. */
static const char birth[] = "\x12\x0b\x0a\x01"
                            "a\x10\x05\x20\x02\x50\xff\xff\x03\x18\x00";
static const size_t birth_len = sizeof(birth) - 1;
/* seq 1; alias 5, int_value 7. */
static const char data[] = "\x12\x04\x10\x05\x50\x07\x18\x01";
static const size_t data_len = sizeof(data) - 1;

static void test_sparkplug_birth_and_data(void **state)
{
    (void)state;
    struct sparkplug_stats s;
    struct fixture f = start(NULL);
    add(&f, "spBv1.0/g/NDATA/n", data, data_len); /* before any birth */
    assert_int_equal(refused(&f), 1);
    add(&f, "spBv1.0/g/NBIRTH/n", birth, birth_len);
    add(&f, "spBv1.0/g/NDATA/n", data, data_len);
    assert_int_equal(live_batch_count(f.batch), 2);
    add(&f, "spBv1.0/g/NDATA/n", data, data_len); /* the same number again */
    sparkplug_stats(f.s, &s);
    assert_int_equal(s.n_gaps, 1);
    assert_int_equal(s.n_births, 1);
    assert_int_equal(s.n_nodes, 1);
    add(&f, "spBv1.0/g/NDEATH/n", "", 0);
    add(&f, "spBv1.0/g/NDATA/n", data, data_len);
    assert_int_equal(refused(&f), 2);
    stop(&f);
}

static void test_sparkplug_other_messages(void **state)
{
    (void)state;
    struct fixture f = start(NULL);
    assert_true(sparkplug_is_topic("spBv1.0/g/NDATA/n"));
    assert_false(sparkplug_is_topic("plant/spBv1.0"));
    static const char *const ignored[] = {"spBv1.0/STATE/host",
                                          "spBv1.0/g/NCMD/n",
                                          "spBv1.0/g/DCMD/n/d",
                                          "spBv1.0/g/NDATA",
                                          "spBv1.0/g/NDATA/n/d/x",
                                          "spBv1.0//NDATA/n",
                                          "spBv1.0/"};
    for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
        add(&f, ignored[i], data, data_len);
    assert_int_equal(refused(&f), 0);
    add(&f, "spBv1.0/g/NDATA/n", "\xff", 1);
    assert_int_equal(refused(&f), 1);
    stop(&f);
}

static void test_sparkplug_save_and_load(void **state)
{
    (void)state;
    struct fixture f = start(NULL);
    kept[0] = '\0';
    add(&f, "spBv1.0/g/NBIRTH/n", birth, birth_len);
    add(&f, "spBv1.0/g/DBIRTH/n/d", birth, birth_len);
    assert_ok(sparkplug_save(f.s, put, NULL, &err), err);
    assert_string_equal(kept, "sparkplug/g/n=5\t2\t\ta\n5\t2\td\ta\n");
    sparkplug_saved(f.s);
    kept[0] = '!';
    assert_ok(sparkplug_save(f.s, put, NULL, &err), err); /* nothing has changed since */
    assert_int_equal(kept[0], '!');
    kept[0] = 's';
    stop(&f);
    f = start(load);
    add(&f, "spBv1.0/g/NDATA/n", data, data_len);
    assert_int_equal(refused(&f), 0);
    assert_int_equal(live_batch_count(f.batch), 1);
    stop(&f);
    /* Damaged text is as good as none. */
    snprintf(kept, sizeof(kept), "sparkplug/g/n=nonsense");
    f = start(load);
    add(&f, "spBv1.0/g/NDATA/n", data, data_len);
    assert_int_equal(refused(&f), 1);
    stop(&f);
}

static void test_sparkplug_not_built(void **state)
{
    (void)state;
    print_message("SKIP: built without Sparkplug (libprotobuf-c-dev, protobuf-c-compiler)\n");
    skip();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sparkplug_birth_and_data),
        cmocka_unit_test(test_sparkplug_other_messages),
        cmocka_unit_test(test_sparkplug_save_and_load),
    };
    const struct CMUnitTest none[] = {cmocka_unit_test(test_sparkplug_not_built)};
    if (!sparkplug_is_built)
        return cmocka_run_group_tests(none, NULL, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
