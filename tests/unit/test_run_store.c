#include "tests/db_fixture.h"

#include "db/run_store.h"

static void test_run_life(void **state)
{
    struct db_fixture *f = *state;
    struct run_row r;
    int64_t id = 0;
    assert_ok(run_start(f->db, "train", &id, &f->err), f->err);
    assert_ok(run_progress(f->db, id, "fold 2 of 5", 2, 5, &f->err), f->err);
    assert_ok(run_get(f->db, id, &r, &f->err), f->err);
    assert_string_equal(r.state, "running");
    assert_string_equal(r.stage, "fold 2 of 5");
    assert_int_equal(r.total, 5);
    assert_true(r.ended_ms == DB_NO_TIME);
    assert_null(r.report);
    run_clear(&r);
    assert_ok(run_finish(f->db, id, "done", "{\"n\":1}", &f->err), f->err);
    assert_ok(run_get(f->db, id, &r, &f->err), f->err);
    assert_string_equal(r.state, "done");
    assert_string_equal(r.report, "{\"n\":1}");
    assert_true(r.ended_ms >= r.started_ms);
    run_clear(&r);
    assert_int_equal(run_finish(f->db, id, "splendid", NULL, &f->err), FT_INVALID);
    assert_int_equal(run_finish(f->db, 99, "done", NULL, &f->err), FT_NOT_FOUND);
    assert_int_equal(run_progress(f->db, 99, NULL, 0, 0, &f->err), FT_NOT_FOUND);
    assert_int_equal(run_get(f->db, 99, &r, &f->err), FT_NOT_FOUND);
}

static void test_run_list_and_mark_interrupted(void **state)
{
    struct db_fixture *f = *state;
    struct run_list list;
    int64_t id = 0;
    for (int i = 0; i < 3; i++)
        assert_ok(run_start(f->db, i == 1 ? "score" : "train", &id, &f->err), f->err);
    assert_ok(run_finish(f->db, id, "failed", NULL, &f->err), f->err);
    assert_ok(run_mark_interrupted(f->db, &f->err), f->err);
    assert_ok(run_list(f->db, "train", 0, &list, &f->err), f->err);
    assert_int_equal(list.n, 2);
    assert_int_equal(list.items[0].id, id);
    assert_string_equal(list.items[0].state, "failed");
    assert_string_equal(list.items[1].state, "interrupted");
    run_list_free(&list);
    assert_ok(run_list(f->db, NULL, 1, &list, &f->err), f->err);
    assert_int_equal(list.n, 1);
    run_list_free(&list);
}

static void test_lease_one_holder(void **state)
{
    struct db_fixture *f = *state;
    assert_ok(lease_take(f->db, "retrain", "host 1", 1000, 2000, &f->err), f->err);
    assert_int_equal(lease_take(f->db, "retrain", "host 2", 1999, 3000, &f->err), FT_BUSY);
    assert_non_null(strstr(f->err.msg, "host 1"));
    assert_ok(lease_take(f->db, "retrain", "host 1", 1500, 2500, &f->err), f->err); /* longer */
    assert_int_equal(lease_take(f->db, "retrain", "host 2", 2499, 9000, &f->err), FT_BUSY);
    assert_ok(lease_take(f->db, "retrain", "host 2", 2500, 9000, &f->err), f->err);
    assert_int_equal(lease_release(f->db, "retrain", "host 1", &f->err), FT_CONFLICT);
    assert_ok(lease_take(f->db, "backup", "host 1", 2500, 9000, &f->err), f->err);
    assert_ok(lease_release(f->db, "retrain", "host 2", &f->err), f->err);
    assert_ok(lease_take(f->db, "retrain", "host 1", 2500, 9000, &f->err), f->err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        db_test(test_run_life),
        db_test(test_run_list_and_mark_interrupted),
        db_test(test_lease_one_holder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
