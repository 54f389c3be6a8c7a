#include "tests/db_fixture.h"

#include "app/writer.h"

#include <pthread.h>
#include <time.h>

enum { N_THREADS = 8, N_CALLS = 25 };

/* Reads a counter and writes it back one higher: lost when two calls overlap. */
static enum ft_status count_up(struct db *db, void *ctx, struct ft_err *err)
{
    char text[32];
    (void)ctx;
    db_setting_get(db, "count", "0", text, sizeof(text));
    snprintf(text, sizeof(text), "%ld", strtol(text, NULL, 10) + 1);
    return db_setting_set(db, "count", text, err);
}

static void *many_calls(void *arg)
{
    struct ft_err err;
    for (int i = 0; i < N_CALLS; i++)
        if (writer_call(arg, 60000, count_up, NULL, &err) != FT_OK)
            return arg;
    return NULL;
}

static void test_writer_call_one_at_a_time(void **state)
{
    struct db_fixture *f = *state;
    struct writer *w = NULL;
    pthread_t threads[N_THREADS];
    assert_ok(writer_new(f->db, &w, &f->err), f->err);
    f->db = NULL;
    for (int i = 0; i < N_THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, many_calls, w), 0);
    for (int i = 0; i < N_THREADS; i++) {
        void *failed = NULL;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    struct writer_stats stats;
    writer_stats(w, &stats);
    assert_int_equal(stats.n_calls, N_THREADS * N_CALLS);
    assert_int_equal(stats.n_waiting, 0);
    writer_free(w);
    db_fixture_reopen(f);
    char text[32];
    db_setting_get(f->db, "count", "", text, sizeof(text));
    assert_string_equal(text, "200");
}

static enum ft_status write_and_fail(struct db *db, void *ctx, struct ft_err *err)
{
    (void)ctx;
    db_setting_set(db, "gone", "1", err);
    return ft_fail(err, FT_CONFLICT, "no");
}

static void test_writer_call_rolls_back(void **state)
{
    struct db_fixture *f = *state;
    struct writer *w = NULL;
    struct ft_err err;
    assert_ok(writer_new(f->db, &w, &f->err), f->err);
    f->db = NULL;
    assert_int_equal(writer_call(w, 100, write_and_fail, NULL, &err), FT_CONFLICT);
    assert_string_equal(err.msg, "no");
    writer_free(w);
    db_fixture_reopen(f);
    char text[8];
    db_setting_get(f->db, "gone", "absent", text, sizeof(text));
    assert_string_equal(text, "absent");
}

static enum ft_status sleep_long(struct db *db, void *ctx, struct ft_err *err)
{
    const struct timespec t = {0, 400 * 1000 * 1000};
    (void)db;
    (void)ctx;
    (void)err;
    nanosleep(&t, NULL);
    return FT_OK;
}

static void *hold(void *arg)
{
    struct ft_err err;
    writer_call(arg, 1000, sleep_long, NULL, &err);
    return NULL;
}

static void test_writer_call_gives_up(void **state)
{
    struct db_fixture *f = *state;
    struct writer *w = NULL;
    struct ft_err err;
    pthread_t thread;
    const struct timespec t = {0, 100 * 1000 * 1000};
    assert_ok(writer_new(f->db, &w, &f->err), f->err);
    f->db = NULL;
    assert_int_equal(pthread_create(&thread, NULL, hold, w), 0);
    nanosleep(&t, NULL);
    assert_int_equal(writer_call(w, 0, count_up, NULL, &err), FT_BUSY);
    assert_int_equal(writer_call(w, 50, count_up, NULL, &err), FT_BUSY);
    assert_int_equal(writer_call(w, 5000, count_up, NULL, &err), FT_OK);
    pthread_join(thread, NULL);
    writer_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_writer_call_one_at_a_time, db_fixture_open,
                                        db_fixture_close),
        cmocka_unit_test_setup_teardown(test_writer_call_rolls_back, db_fixture_open,
                                        db_fixture_close),
        cmocka_unit_test_setup_teardown(test_writer_call_gives_up, db_fixture_open,
                                        db_fixture_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
