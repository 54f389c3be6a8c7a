#include "tests/db_fixture.h"

#include "app/ingest/commit_behind.h"

static void test_commit_behind_keeps_what_was_written(void **state)
{
    struct db_fixture *f = *state;
    struct commit_behind behind = {0};
    struct asset asset = {0};
    int64_t id = 0;
    assert_ok(commit_behind_wait(&behind, &f->err), f->err); /* nothing under way */
    for (int i = 0; i < 20; i++) {
        char key[16];
        snprintf(key, sizeof(key), "P-%d", i);
        assert_ok(commit_behind_wait(&behind, &f->err), f->err);
        assert_ok(db_begin(f->db, &f->err), f->err);
        assert_ok(asset_ensure(f->db, key, "pump", &id, &f->err), f->err);
        commit_behind_start(&behind, f->db);
    }
    assert_ok(commit_behind_wait(&behind, &f->err), f->err);
    assert_ok(commit_behind_wait(&behind, &f->err), f->err);
    db_fixture_reopen(f);
    assert_ok(asset_get(f->db, id, &asset, &f->err), f->err);
    assert_string_equal(asset.key, "P-19");
    asset_clear(&asset);
}

static void test_commit_behind_tells_a_failure_once(void **state)
{
    struct db_fixture *f = *state;
    struct commit_behind behind = {0};
    struct asset asset = {0};
    int64_t id = 0;
    assert_ok(db_begin(f->db, &f->err), f->err);
    assert_ok(asset_ensure(f->db, "P-1", "pump", &id, &f->err), f->err);
    assert_ok(db_begin(f->db, &f->err), f->err);
    db_rollback(f->db); /* inside: dooms the whole transaction */
    commit_behind_start(&behind, f->db);
    assert_int_equal(commit_behind_wait(&behind, &f->err), FT_CONFLICT);
    assert_non_null(strstr(f->err.msg, "nothing is stored"));
    assert_ok(commit_behind_wait(&behind, &f->err), f->err);
    assert_int_equal(asset_get(f->db, id, &asset, &f->err), FT_NOT_FOUND);
    /* The connection can go on. */
    assert_ok(asset_ensure(f->db, "P-2", "pump", &id, &f->err), f->err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_commit_behind_keeps_what_was_written, db_fixture_open,
                                        db_fixture_close),
        cmocka_unit_test_setup_teardown(test_commit_behind_tells_a_failure_once, db_fixture_open,
                                        db_fixture_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
