#include "tests/db_fixture.h"

#include "app/ingest/quarantine.h"
#include "db/import_store.h"

static size_t n_said;
static char last_said[300];

static void say(void *ctx, const char *line)
{
    (void)ctx;
    n_said++;
    snprintf(last_said, sizeof(last_said), "%s", line);
}

static void test_quarantine_add_keeps_and_counts(void **state)
{
    struct db_fixture *f = *state;
    const struct import_options o = {.say = say};
    struct import_summary s = {.file = "line.csv"};
    struct quarantine_list rows = {0};
    int64_t id = 0;
    n_said = 0;
    assert_ok(import_start(f->db, "line.csv", "readings", &id, &f->err), f->err);
    assert_ok(quarantine_add(f->db, &o, id, &s, 7, "temp", "'x' is not a number", "P-1,x", &f->err),
              f->err);
    assert_string_equal(last_said, "line.csv: line 7: 'x' is not a number");
    /* Bytes that no program could show are replaced, in the row and in the reason. */
    assert_ok(
        quarantine_add(f->db, &o, id, &s, 8, NULL, "field '\xff\x01'", "a\xfc\x1b[2J\tb", &f->err),
        f->err);
    assert_string_equal(last_said, "line.csv: line 8: field '\xef\xbf\xbd\xef\xbf\xbd'");
    assert_int_equal(s.n_bad, 2);
    assert_ok(quarantine_list(f->db, id, 10, &rows, &f->err), f->err);
    assert_int_equal(rows.n, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct quarantine_row *row = &rows.items[i];
        assert_string_equal(row->file, "line.csv");
        if (row->line == 7) {
            assert_string_equal(row->column_name, "temp");
            assert_string_equal(row->raw, "P-1,x");
            continue;
        }
        assert_int_equal(row->line, 8);
        assert_null(row->column_name);
        assert_string_equal(row->raw, "a\xef\xbf\xbd\xef\xbf\xbd[2J\tb");
    }
    quarantine_list_free(&rows);
}

/* A file of wrong rows says the first five and that there are more; all are kept. */
static void test_quarantine_add_says_a_few(void **state)
{
    struct db_fixture *f = *state;
    const struct import_options o = {.say = say};
    const struct import_options dry = {.say = say, .is_dry_run = true};
    struct import_summary s = {.file = "line.csv"};
    struct import_summary dry_s = {.file = "line.csv"};
    struct quarantine_list rows = {0};
    int64_t id = 0;
    n_said = 0;
    assert_ok(import_start(f->db, "line.csv", "readings", &id, &f->err), f->err);
    for (int line = 2; line < 12; line++)
        assert_ok(quarantine_add(f->db, &o, id, &s, line, NULL, "no time", "", &f->err), f->err);
    assert_int_equal(s.n_bad, 10);
    assert_int_equal(n_said, 6);
    assert_string_equal(last_said, "line.csv: further bad rows are not shown here");
    /* A dry run says and counts, and writes nothing; it may have no database at all. */
    assert_ok(quarantine_add(NULL, &dry, 0, &dry_s, 3, NULL, "no time", "", &f->err), f->err);
    assert_int_equal(dry_s.n_bad, 1);
    assert_string_equal(last_said, "line.csv: line 3: no time");
    assert_ok(quarantine_list(f->db, id, 100, &rows, &f->err), f->err);
    assert_int_equal(rows.n, 10);
    quarantine_list_free(&rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_quarantine_add_keeps_and_counts, db_fixture_open,
                                        db_fixture_close),
        cmocka_unit_test_setup_teardown(test_quarantine_add_says_a_few, db_fixture_open,
                                        db_fixture_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
