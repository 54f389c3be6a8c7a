#include "tests/db_fixture.h"

#include "db/event_store.h"

static struct event make(int64_t asset_id, enum event_kind kind, int64_t ts_ms, char *code)
{
    return (struct event){.asset_id = asset_id,
                          .kind = kind,
                          .ts_ms = ts_ms,
                          .code = code,
                          .downtime_ms = DB_NO_TIME,
                          .cost_minor = DB_NO_MONEY,
                          .source = (char *)"test"};
}

static void test_event_put_twice(void **state)
{
    struct db_fixture *f = *state;
    struct event got;
    int64_t asset_id = 0;
    int64_t class_id = 0;
    int64_t part = 0;
    int64_t id = 0;
    int64_t again = 0;
    bool is_new = false;
    assert_ok(asset_ensure(f->db, "P-7", "pump", &asset_id, &f->err), f->err);
    assert_ok(class_ensure(f->db, "pump", &class_id, &f->err), f->err);
    assert_ok(component_ensure(f->db, class_id, "seal", &part, &f->err), f->err);
    struct event e = make(asset_id, EVENT_FAILURE, 1000, NULL);
    e.downtime_ms = 3600000;
    assert_ok(event_put(f->db, &e, &id, &is_new, &f->err), f->err);
    assert_true(is_new);
    assert_ok(event_put(f->db, &e, &again, &is_new, &f->err), f->err);
    assert_false(is_new);
    assert_int_equal(id, again);
    e.component_id = part;
    assert_ok(event_put(f->db, &e, &again, &is_new, &f->err), f->err);
    assert_true(is_new);
    e.component_id = 0;
    e.code = (char *)"E17";
    assert_ok(event_put(f->db, &e, &again, &is_new, &f->err), f->err);
    assert_true(is_new);
    assert_ok(event_get(f->db, id, &got, &f->err), f->err);
    assert_int_equal(got.kind, EVENT_FAILURE);
    assert_int_equal(got.ts_ms, 1000);
    assert_string_equal(got.code, "");
    assert_int_equal(got.downtime_ms, 3600000);
    assert_true(got.cost_minor == DB_NO_MONEY);
    assert_null(got.external_key);
    event_clear(&got);
    assert_int_equal(event_get(f->db, 99, &got, &f->err), FT_NOT_FOUND);
    e.asset_id = 99;
    assert_int_equal(event_put(f->db, &e, &id, &is_new, &f->err), FT_INVALID);
    assert_non_null(strstr(f->err.msg, "asset 99"));
}

static void test_event_put_external_key(void **state)
{
    struct db_fixture *f = *state;
    int64_t asset_id = 0;
    int64_t id = 0;
    int64_t again = 0;
    bool is_new = false;
    assert_ok(asset_ensure(f->db, "P-7", "pump", &asset_id, &f->err), f->err);
    struct event e = make(asset_id, EVENT_REPAIR, 1000, (char *)"x");
    e.external_key = (char *)"CMMS-1";
    assert_ok(event_put(f->db, &e, &id, &is_new, &f->err), f->err);
    assert_ok(event_put(f->db, &e, &again, &is_new, &f->err), f->err);
    assert_false(is_new);
    assert_int_equal(id, again);
    e.ts_ms = 2000;
    assert_int_equal(event_put(f->db, &e, &again, &is_new, &f->err), FT_CONFLICT);
    assert_non_null(strstr(f->err.msg, "CMMS-1"));
    assert_int_equal(again, 0);
}

static void test_event_list_filters(void **state)
{
    struct db_fixture *f = *state;
    struct event_list list;
    int64_t p = 0;
    int64_t q = 0;
    int64_t class_id = 0;
    int64_t id = 0;
    bool is_new = false;
    assert_ok(asset_ensure(f->db, "P-7", "pump", &p, &f->err), f->err);
    assert_ok(asset_ensure(f->db, "F-1", "fan", &q, &f->err), f->err);
    assert_ok(class_ensure(f->db, "fan", &class_id, &f->err), f->err);
    for (int i = 0; i < 20; i++) { /* instants 0, 0, 10, 10, 20, ... */
        struct event e = make(i % 2 == 0 ? p : q, (enum event_kind)(i % EVENT_KIND_COUNT),
                              i / 2 * 10, (char *)"c");
        assert_ok(event_put(f->db, &e, &id, &is_new, &f->err), f->err);
        assert_true(is_new);
    }
    assert_ok(event_list(f->db, &(struct event_filter){0}, &list, &f->err), f->err);
    assert_int_equal(list.n, 20);
    for (size_t i = 1; i < list.n; i++)
        assert_true(list.items[i - 1].ts_ms < list.items[i].ts_ms ||
                    list.items[i - 1].id < list.items[i].id);
    event_list_free(&list);
    struct event_filter only = {.asset_id = p, .from_ms = 20, .to_ms = 50};
    assert_ok(event_list(f->db, &only, &list, &f->err), f->err);
    assert_int_equal(list.n, 3);
    assert_int_equal(list.items[0].ts_ms, 20);
    event_list_free(&list);
    assert_ok(event_list(f->db, &(struct event_filter){.class_id = class_id}, &list, &f->err),
              f->err);
    assert_int_equal(list.n, 10);
    assert_int_equal(list.items[3].asset_id, q);
    event_list_free(&list);
    struct event_filter kinds = {.kinds = 1u << EVENT_FAILURE | 1u << EVENT_ALARM};
    assert_ok(event_list(f->db, &kinds, &list, &f->err), f->err);
    assert_int_equal(list.n, 8);
    event_list_free(&list);

    for (int newest = 0; newest < 2; newest++) { /* pages of 3 see every event once */
        for (int64_t asset = 0; asset <= p; asset += p) {
            struct event_filter page = {
                .asset_id = asset, .is_newest_first = newest != 0, .limit = 3};
            size_t seen = 0;
            int64_t last = newest ? INT64_MAX : INT64_MIN;
            do {
                assert_ok(event_list(f->db, &page, &list, &f->err), f->err);
                for (size_t i = 0; i < list.n; i++) {
                    const int64_t ts = list.items[i].ts_ms;
                    assert_true(newest ? ts <= last : ts >= last);
                    last = ts;
                    page.after_id = list.items[i].id;
                }
                seen += list.n;
                event_list_free(&list);
            } while (seen % 3 == 0 && seen < 30);
            assert_int_equal(seen, asset == 0 ? 20 : 10);
        }
    }
}

static void test_event_kind_parse(void **state)
{
    enum event_kind kind;
    struct ft_err err;
    for (int i = 0; i < EVENT_KIND_COUNT; i++) {
        assert_ok(event_kind_parse(event_kind_name((enum event_kind)i), &kind, &err), err);
        assert_int_equal(kind, i);
    }
    assert_int_equal(event_kind_parse("Failure", &kind, &err), FT_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        db_test(test_event_put_twice),
        db_test(test_event_put_external_key),
        db_test(test_event_list_filters),
        cmocka_unit_test(test_event_kind_parse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
