#include "tests/db_fixture.h"

#include "db/model_store.h"
#include "db/run_store.h"

static struct model_row make(int64_t class_id, const char *kind, const char *state)
{
    return (struct model_row){.class_id = class_id,
                              .target = (char *)"failure",
                              .horizon_ms = 86400000,
                              .kind = (char *)kind,
                              .state = (char *)state,
                              .reason = (char *)"beats the baseline",
                              .created_ms = 5,
                              .until_ms = 4,
                              .seed = 1,
                              .build = (char *)"0.1",
                              .fingerprint = (char *)"f",
                              .params = (char *)"{}",
                              .features = (char *)"[]",
                              .metrics = (char *)"{}",
                              .sha256 = (char *)"s",
                              .body = (char *)"a\0b",
                              .body_len = 3};
}

static void assert_state(struct db_fixture *f, int64_t id, const char *state, const char *reason)
{
    struct model_row m;
    assert_ok(model_get(f->db, id, &m, &f->err), f->err);
    assert_string_equal(m.state, state);
    assert_string_equal(m.reason, reason);
    model_clear(&m);
}

static void test_model_insert_champion_retires_old(void **state)
{
    struct db_fixture *f = *state;
    struct model_row got;
    int64_t class_id = 0;
    int64_t first = 0;
    int64_t second = 0;
    int64_t part = 0;
    char reason[64];
    assert_ok(class_ensure(f->db, "pump", &class_id, &f->err), f->err);
    assert_ok(component_ensure(f->db, class_id, "seal", &part, &f->err), f->err);
    assert_int_equal(model_champion(f->db, class_id, "failure", 0, 86400000, &got, &f->err),
                     FT_NOT_FOUND);
    struct model_row m = make(class_id, "weibull_age", "champion");
    assert_ok(model_insert(f->db, &m, &first, &f->err), f->err);
    m.kind = (char *)"gbdt";
    assert_ok(model_insert(f->db, &m, &second, &f->err), f->err);
    snprintf(reason, sizeof(reason), "replaced by model %lld", (long long)second);
    assert_state(f, first, "retired", reason);
    assert_state(f, second, "champion", "beats the baseline");
    int64_t other = 0;
    m.component_id = part; /* a champion beside, not instead */
    assert_ok(model_insert(f->db, &m, &other, &f->err), f->err);
    assert_state(f, second, "champion", "beats the baseline");
    assert_ok(model_champion(f->db, class_id, "failure", 0, 86400000, &got, &f->err), f->err);
    assert_int_equal(got.id, second);
    assert_int_equal(got.body_len, 3);
    assert_memory_equal(got.body, "a\0b", 4);
    model_clear(&got);

    assert_ok(model_set_state(f->db, first, "champion", "rolled back", &f->err), f->err);
    assert_state(f, first, "champion", "rolled back");
    snprintf(reason, sizeof(reason), "replaced by model %lld", (long long)first);
    assert_state(f, second, "retired", reason);
    assert_int_equal(model_set_state(f->db, 99, "champion", "x", &f->err), FT_NOT_FOUND);
    assert_int_equal(model_set_state(f->db, first, "best", "x", &f->err), FT_INVALID);
    assert_state(f, first, "champion", "rolled back");
}

static void test_model_insert_invalid(void **state)
{
    struct db_fixture *f = *state;
    struct model_list list;
    int64_t class_id = 0;
    int64_t id = 0;
    assert_ok(class_ensure(f->db, "pump", &class_id, &f->err), f->err);
    struct model_row m = make(class_id, "gbdt", "splendid");
    assert_int_equal(model_insert(f->db, &m, &id, &f->err), FT_INVALID);
    m.state = NULL;
    assert_int_equal(model_insert(f->db, &m, &id, &f->err), FT_INVALID);
    m = make(99, "gbdt", "candidate");
    assert_int_equal(model_insert(f->db, &m, &id, &f->err), FT_INVALID);
    assert_int_equal(id, 0);
    assert_ok(model_list(f->db, 0, NULL, NULL, &list, &f->err), f->err);
    assert_int_equal(list.n, 0);
    model_list_free(&list);
}

static void test_model_list_filters(void **state)
{
    struct db_fixture *f = *state;
    struct model_list list;
    int64_t class_id = 0;
    int64_t id = 0;
    assert_ok(class_ensure(f->db, "pump", &class_id, &f->err), f->err);
    for (int i = 0; i < 4; i++) {
        struct model_row m = make(class_id, "gbdt", i == 3 ? "champion" : "off");
        assert_ok(model_insert(f->db, &m, &id, &f->err), f->err);
    }
    assert_ok(model_list(f->db, class_id, "failure", NULL, &list, &f->err), f->err);
    assert_int_equal(list.n, 4);
    assert_int_equal(list.items[0].id, id);
    assert_null(list.items[0].body);
    assert_string_equal(list.items[0].state, "champion");
    model_list_free(&list);
    assert_ok(model_list(f->db, class_id, NULL, "off", &list, &f->err), f->err);
    assert_int_equal(list.n, 3);
    model_list_free(&list);
    assert_ok(model_list(f->db, class_id + 1, NULL, NULL, &list, &f->err), f->err);
    assert_int_equal(list.n, 0);
    model_list_free(&list);
}

/* The newest of each state stay; a champion stays however old. */
static void test_model_prune_keeps_the_newest(void **state)
{
    struct db_fixture *f = *state;
    struct model_list list;
    int64_t class_id = 0;
    int64_t first = 0;
    int64_t id = 0;
    assert_ok(class_ensure(f->db, "pump", &class_id, &f->err), f->err);
    struct model_row champion = make(class_id, "gbdt", "champion");
    assert_ok(model_insert(f->db, &champion, &first, &f->err), f->err);
    for (int i = 0; i < 6; i++) {
        struct model_row m = make(class_id, "gbdt", i % 2 == 0 ? "off" : "candidate");
        assert_ok(model_insert(f->db, &m, &id, &f->err), f->err);
    }
    assert_ok(model_prune(f->db, class_id, 2, &f->err), f->err);
    assert_ok(model_list(f->db, class_id, NULL, NULL, &list, &f->err), f->err);
    assert_int_equal(list.n, 5);
    assert_int_equal(list.items[0].id, id);
    assert_int_equal(list.items[4].id, first);
    model_list_free(&list);
    assert_ok(model_prune(f->db, class_id + 1, 0, &f->err), f->err);
    assert_state(f, first, "champion", champion.reason);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        db_test(test_model_insert_champion_retires_old),
        db_test(test_model_insert_invalid),
        db_test(test_model_list_filters),
        db_test(test_model_prune_keeps_the_newest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
