#include "tests/db_fixture.h"

#include "db/import_store.h"

static void test_import_life(void **state)
{
    struct db_fixture *f = *state;
    struct import_list list;
    int64_t first = 0;
    int64_t second = 0;
    assert_ok(import_start(f->db, "a.csv", "readings", &first, &f->err), f->err);
    assert_ok(import_start(f->db, "b.csv", "events", &second, &f->err), f->err);
    const struct import_row done = {
        .id = first, .ended_ms = 99, .n_rows = 10, .n_new = 7, .n_unchanged = 2, .n_bad = 1};
    assert_ok(import_finish(f->db, &done, &f->err), f->err);
    assert_ok(import_list(f->db, 0, &list, &f->err), f->err);
    assert_int_equal(list.n, 2);
    assert_true(list.items[0].ended_ms == DB_NO_TIME);
    assert_string_equal(list.items[1].file, "a.csv");
    assert_int_equal(list.items[1].n_new, 7);
    assert_int_equal(list.items[1].n_bad, 1);
    import_list_free(&list);
    assert_int_equal(import_finish(f->db, &(struct import_row){.id = 99}, &f->err), FT_NOT_FOUND);
}

static void test_quarantine_put_once_and_cut(void **state)
{
    struct db_fixture *f = *state;
    struct quarantine_list list;
    int64_t id = 0;
    char raw[5000];
    memset(raw, 'x', sizeof(raw));
    memcpy(raw + 3999, "\xc3\xa9", 2); /* a character across the cut */
    raw[4999] = '\0';
    assert_ok(import_start(f->db, "a.csv", "readings", &id, &f->err), f->err);
    const struct quarantine_row row = {.import_id = id,
                                       .file = (char *)"a.csv",
                                       .line = 7,
                                       .column_name = (char *)"vib",
                                       .reason = (char *)"'x' is not a number",
                                       .raw = raw};
    assert_ok(quarantine_put(f->db, &row, &f->err), f->err);
    assert_ok(quarantine_put(f->db, &row, &f->err), f->err);
    const struct quarantine_row by_api = {.file = (char *)"POST /api/v1/readings",
                                          .line = 1,
                                          .reason = (char *)"no time",
                                          .raw = (char *)"{}"};
    assert_ok(quarantine_put(f->db, &by_api, &f->err), f->err);
    assert_ok(quarantine_list(f->db, id, 0, &list, &f->err), f->err);
    assert_int_equal(list.n, 1);
    assert_int_equal(strlen(list.items[0].raw), 3999);
    assert_string_equal(list.items[0].column_name, "vib");
    quarantine_list_free(&list);
    assert_ok(quarantine_list(f->db, 0, 0, &list, &f->err), f->err);
    assert_int_equal(list.n, 2);
    assert_null(list.items[1].column_name);
    assert_int_equal(list.items[1].import_id, 0);
    quarantine_list_free(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        db_test(test_import_life),
        db_test(test_quarantine_put_once_and_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
