#include "tests/db_fixture.h"

#include "db/integration_store.h"
#include "db/statement.h"

static const int64_t DAY = INT64_C(86400000);

static void test_api_key_life(void **state)
{
    struct db_fixture *f = *state;
    struct api_key got;
    struct api_key_list list;
    int64_t id = 0;
    const struct api_key k = {.public_id = (char *)"abc",
                              .name = (char *)"gateway",
                              .role = (char *)"ingest",
                              .hash = (char *)"00",
                              .created_ms = 1,
                              .expires_ms = DB_NO_TIME};
    assert_ok(api_key_insert(f->db, &k, &id, &f->err), f->err);
    assert_int_equal(api_key_insert(f->db, &k, &id, &f->err), FT_CONFLICT);
    assert_ok(api_key_find(f->db, "abc", &got, &f->err), f->err);
    assert_true(got.expires_ms == DB_NO_TIME && got.revoked_ms == DB_NO_TIME);
    id = got.id;
    api_key_clear(&got);
    assert_int_equal(api_key_find(f->db, "abd", &got, &f->err), FT_NOT_FOUND);
    assert_ok(api_key_touch(f->db, id, 61000, &f->err), f->err);
    const int64_t version = db_data_version(f->db);
    assert_ok(api_key_touch(f->db, id, 119999, &f->err), f->err); /* the same minute */
    assert_int_equal(db_data_version(f->db), version);
    assert_ok(api_key_revoke(f->db, "abc", 500, &f->err), f->err);
    assert_ok(api_key_revoke(f->db, "abc", 900, &f->err), f->err); /* the first time counts */
    assert_int_equal(api_key_revoke(f->db, "abd", 900, &f->err), FT_NOT_FOUND);
    assert_ok(api_key_list(f->db, &list, &f->err), f->err);
    assert_int_equal(list.n, 1);
    assert_int_equal(list.items[0].revoked_ms, 500);
    assert_int_equal(list.items[0].used_ms, 60000);
    api_key_list_free(&list);
}

static void test_idempotency_keeps_a_day(void **state)
{
    struct db_fixture *f = *state;
    struct kept_answer got;
    char route[64];
    const struct kept_answer a = {.body_hash = (char *)"h",
                                  .status = 201,
                                  .location = (char *)"/x/1",
                                  .response = (char *)"{}"};
    assert_ok(idempotency_keep(f->db, 1, "k", "POST /x", &a, 10 * DAY, &f->err), f->err);
    assert_int_equal(idempotency_keep(f->db, 1, "k", "POST /x", &a, 10 * DAY + 1, &f->err),
                     FT_CONFLICT);
    assert_ok(idempotency_keep(f->db, 2, "k", "POST /x", &a, 10 * DAY, &f->err), f->err);
    assert_ok(idempotency_find(f->db, 1, "k", 11 * DAY - 1, route, sizeof(route), &got, &f->err),
              f->err);
    assert_string_equal(route, "POST /x");
    assert_int_equal(got.status, 201);
    assert_string_equal(got.location, "/x/1");
    assert_null(got.etag);
    kept_answer_clear(&got);
    assert_int_equal(idempotency_find(f->db, 1, "k", 11 * DAY, route, sizeof(route), &got, &f->err),
                     FT_NOT_FOUND);
    assert_ok(idempotency_keep(f->db, 1, "k", "POST /y", &a, 11 * DAY, &f->err), f->err);
    assert_int_equal(idempotency_find(f->db, 1, "j", 11 * DAY, route, sizeof(route), &got, &f->err),
                     FT_NOT_FOUND);
}

static void test_delivery_outbox(void **state)
{
    struct db_fixture *f = *state;
    struct delivery_list list;
    int64_t id = 0;
    size_t n = 0;
    static const struct {
        const char *url, *events;
        bool is_active;
    } hooks[] = {{"http://a", "work_order.proposed, x", true},
                 {"http://b", "*", true},
                 {"http://c", "*", false},
                 {"http://d", "work_order.proposed_not", true}};
    for (size_t i = 0; i < 4; i++) {
        const struct webhook w = {.url = (char *)hooks[i].url,
                                  .secret = (char *)"s",
                                  .events = (char *)hooks[i].events,
                                  .is_active = hooks[i].is_active};
        assert_ok(webhook_insert(f->db, &w, &id, &f->err), f->err);
    }
    assert_ok(db_begin(f->db, &f->err), f->err);
    assert_ok(delivery_enqueue(f->db, "work_order.proposed", "m1", "{}", 100, &n, &f->err), f->err);
    assert_int_equal(n, 2);
    db_rollback(f->db);
    assert_ok(delivery_due(f->db, 100, 0, &list, &f->err), f->err);
    assert_int_equal(list.n, 0);
    assert_ok(delivery_enqueue(f->db, "work_order.proposed", "m1", "{}", 100, &n, &f->err), f->err);
    assert_ok(delivery_due(f->db, 99, 0, &list, &f->err), f->err);
    assert_int_equal(list.n, 0);
    assert_ok(delivery_due(f->db, 100, 0, &list, &f->err), f->err);
    assert_int_equal(list.n, 2);
    assert_string_equal(list.items[0].url, "http://a");
    assert_string_equal(list.items[0].state, "waiting");
    const int64_t first = list.items[0].id;
    const int64_t second = list.items[1].id;
    delivery_list_free(&list);
    assert_ok(delivery_result(f->db, first, "waiting", 500, 0, "refused", &f->err), f->err);
    assert_ok(delivery_result(f->db, second, "delivered", 100, 204, NULL, &f->err), f->err);
    assert_ok(delivery_due(f->db, 499, 0, &list, &f->err), f->err);
    assert_int_equal(list.n, 0);
    assert_ok(delivery_list(f->db, 0, &list, &f->err), f->err);
    assert_int_equal(list.n, 2);
    assert_int_equal(list.items[0].last_status, 204);
    assert_null(list.items[0].last_error);
    assert_string_equal(list.items[1].last_error, "refused");
    assert_int_equal(list.items[1].n_tries, 1);
    assert_int_equal(list.items[1].last_status, 0);
    const int64_t hook = list.items[1].webhook_id;
    delivery_list_free(&list);
    assert_int_equal(delivery_result(f->db, first, "lost", 0, 0, NULL, &f->err), FT_INVALID);
    assert_int_equal(delivery_result(f->db, 99, "dead", 0, 0, NULL, &f->err), FT_NOT_FOUND);
    assert_ok(webhook_delete(f->db, hook, &f->err), f->err); /* takes its deliveries along */
    assert_int_equal(webhook_delete(f->db, hook, &f->err), FT_NOT_FOUND);
    assert_ok(delivery_list(f->db, 0, &list, &f->err), f->err);
    assert_int_equal(list.n, 1);
    delivery_list_free(&list);
    struct webhook_list left;
    assert_ok(webhook_list(f->db, &left, &f->err), f->err);
    assert_int_equal(left.n, 3);
    assert_false(left.items[1].is_active);
    webhook_list_free(&left);
}

/* Triggers hold against any SQL, not only against ours. */
static void test_schema_keeps_facts(void **state)
{
    struct db_fixture *f = *state;
    static const char *const refused[] = {
        "UPDATE audit SET actor = 'me'", "DELETE FROM audit",
        "UPDATE ledger SET p = 0.5",     "DELETE FROM ledger",
        "UPDATE model SET params = '1'",
    };
    int64_t asset_id = 0;
    sqlite3 *handle;
    assert_ok(asset_ensure(f->db, "P-7", "pump", &asset_id, &f->err), f->err);
    assert_ok(audit_put(f->db, 1, "cli", "x", "y", NULL, &f->err), f->err);
    db_close(f->db);
    f->db = NULL;
    assert_int_equal(sqlite3_open(f->path, &handle), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(handle,
                     "INSERT INTO ledger (asset_id, as_of_ms, horizon_ms, p) VALUES (1, 1, 1, 0);"
                     "INSERT INTO model (class_id, target, kind, state, reason, created_ms, "
                     "until_ms, seed, build, fingerprint, params, features, metrics, sha256, body) "
                     "VALUES (1, 'rul', 'k', 'off', '', 1, 1, 1, '', '', '', '', '', '', x'00')",
                     NULL, NULL, NULL),
        SQLITE_OK);
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        assert_int_equal(sqlite3_exec(handle, refused[i], NULL, NULL, NULL), SQLITE_CONSTRAINT);
    assert_int_equal(sqlite3_exec(handle, "UPDATE ledger SET outcome = 'failed'", NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(handle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        db_test(test_api_key_life),
        db_test(test_idempotency_keeps_a_day),
        db_test(test_delivery_outbox),
        db_test(test_schema_keeps_facts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
