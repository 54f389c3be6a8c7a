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

/* --- groups --- */

static void *many_group_calls(void *arg)
{
    struct ft_err err;
    for (int i = 0; i < N_CALLS; i++)
        if (writer_group(arg, 60000, 1, count_up, NULL, &err) != FT_OK)
            return arg;
    return NULL;
}

static void run_threads(struct writer *w, void *(*fn)(void *), size_t n, pthread_t *threads)
{
    for (size_t i = 0; i < n; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, fn, w), 0);
}

static void test_writer_group_shares_commits(void **state)
{
    struct db_fixture *f = *state;
    struct writer *w = NULL;
    pthread_t holder;
    pthread_t threads[N_THREADS];
    struct writer_stats stats;
    const struct timespec t = {0, 100 * 1000 * 1000};
    assert_ok(writer_new(f->db, &w, &f->err), f->err);
    f->db = NULL;
    /* All of them wait behind one long call, so their first calls are one group. */
    assert_int_equal(pthread_create(&holder, NULL, hold, w), 0);
    nanosleep(&t, NULL);
    run_threads(w, many_group_calls, N_THREADS, threads);
    pthread_join(holder, NULL);
    for (int i = 0; i < N_THREADS; i++) {
        void *failed = NULL;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    writer_stats(w, &stats);
    assert_int_equal(stats.n_calls, N_THREADS * N_CALLS + 1);
    assert_int_equal(stats.n_failed, 0);
    assert_in_range(stats.n_commits, 2, N_THREADS * N_CALLS - N_THREADS + 2);
    assert_int_equal(stats.n_points_waiting, 0);
    int64_t n = 0;
    for (int i = 0; i < WRITER_N_LATENCIES; i++)
        n += stats.n_latency[i];
    assert_int_equal(n, stats.n_calls);
    writer_free(w);
    db_fixture_reopen(f);
    char text[32];
    db_setting_get(f->db, "count", "", text, sizeof(text));
    assert_string_equal(text, "200");
}

static void *group_that_fails(void *arg)
{
    struct ft_err err;
    const enum ft_status st = writer_group(arg, 60000, 1, write_and_fail, NULL, &err);
    return st == FT_CONFLICT && strcmp(err.msg, "no") == 0 ? NULL : arg;
}

static void test_writer_group_undoes_one_member(void **state)
{
    struct db_fixture *f = *state;
    struct writer *w = NULL;
    pthread_t holder, bad, good;
    const struct timespec t = {0, 100 * 1000 * 1000};
    void *failed[2] = {NULL, NULL};
    assert_ok(writer_new(f->db, &w, &f->err), f->err);
    f->db = NULL;
    assert_int_equal(pthread_create(&holder, NULL, hold, w), 0);
    nanosleep(&t, NULL);
    assert_int_equal(pthread_create(&bad, NULL, group_that_fails, w), 0);
    assert_int_equal(pthread_create(&good, NULL, many_group_calls, w), 0);
    pthread_join(holder, NULL);
    pthread_join(bad, &failed[0]);
    pthread_join(good, &failed[1]);
    assert_null(failed[0]);
    assert_null(failed[1]);
    writer_free(w);
    db_fixture_reopen(f);
    char text[32];
    db_setting_get(f->db, "gone", "absent", text, sizeof(text));
    assert_string_equal(text, "absent");
    db_setting_get(f->db, "count", "", text, sizeof(text));
    assert_string_equal(text, "25");
}

static void *big_group_call(void *arg)
{
    struct ft_err err;
    return writer_group(arg, 60000, WRITER_MAX_WAITING, count_up, NULL, &err) == FT_OK ? NULL : arg;
}

static void test_writer_group_full_queue_is_said_at_once(void **state)
{
    struct db_fixture *f = *state;
    struct writer *w = NULL;
    struct ft_err err;
    pthread_t holder, big;
    struct writer_stats stats;
    void *failed = NULL;
    const struct timespec t = {0, 100 * 1000 * 1000};
    assert_ok(writer_new(f->db, &w, &f->err), f->err);
    f->db = NULL;
    assert_int_equal(pthread_create(&holder, NULL, hold, w), 0);
    nanosleep(&t, NULL);
    assert_int_equal(pthread_create(&big, NULL, big_group_call, w), 0);
    nanosleep(&t, NULL);
    assert_int_equal(writer_group(w, 60000, 1, count_up, NULL, &err), FT_BUSY);
    assert_non_null(strstr(err.msg, "too many readings"));
    pthread_join(holder, NULL);
    pthread_join(big, &failed);
    assert_null(failed);
    writer_stats(w, &stats);
    assert_int_equal(stats.n_refused, 1);
    assert_int_equal(writer_group(w, 60000, 1, count_up, NULL, &err), FT_OK);
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
        cmocka_unit_test_setup_teardown(test_writer_group_shares_commits, db_fixture_open,
                                        db_fixture_close),
        cmocka_unit_test_setup_teardown(test_writer_group_undoes_one_member, db_fixture_open,
                                        db_fixture_close),
        cmocka_unit_test_setup_teardown(test_writer_group_full_queue_is_said_at_once,
                                        db_fixture_open, db_fixture_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
