/* Memory that is gone at any moment of the store's work: the call answers "no memory", nothing
 * crashes, and what is stored stays sound. The allocator of this program refuses one request. */
#include "tests/db_fixture.h"

#include "db/event_store.h"
#include "db/model_store.h"
#include "db/reading_store.h"
#include "tests/no_memory.h"

#ifdef NO_MEMORY

enum { N_READINGS = 3000 };

static enum ft_status use_lists(struct db *db, int64_t asset_id, struct ft_err *err)
{
    struct asset a = {0};
    struct asset_list assets = {0};
    struct sensor_list sensors = {0};
    struct event_list events = {0};
    enum ft_status st = asset_get(db, asset_id, &a, err);
    if (st == FT_OK)
        st = asset_list(db, 0, &assets, err);
    if (st == FT_OK)
        st = sensor_list(db, asset_id, &sensors, err);
    if (st == FT_OK)
        st = event_list(db, &(struct event_filter){0}, &events, err);
    asset_clear(&a);
    asset_list_free(&assets);
    sensor_list_free(&sensors);
    event_list_free(&events);
    return st;
}

static enum ft_status use_readings(struct db *db, int64_t sensor_id, struct ft_err *err)
{
    static int64_t ts[N_READINGS];
    static double v[N_READINGS];
    struct reading_counts c = {0};
    struct readings r = {0};
    struct reading_bucket b[7];
    for (int i = 0; i < N_READINGS; i++) {
        ts[i] = (i * 7919) % N_READINGS; /* not in order */
        v[i] = i;
    }
    enum ft_status st = reading_put(db, sensor_id, ts, v, 100, &c, err);
    if (st == FT_OK)
        st = reading_put(db, sensor_id, ts, v, N_READINGS, &c, err);
    if (st == FT_OK)
        st = reading_put(db, sensor_id, ts + 5, v, 1, &c, err);
    if (st == FT_OK)
        st = reading_scan(db, sensor_id, 0, N_READINGS, &r, err);
    if (st == FT_OK)
        st = reading_buckets(db, sensor_id, 0, N_READINGS, 7, b, err);
    readings_free(&r);
    return st;
}

static enum ft_status use_store(const char *path, struct ft_err *err)
{
    struct db *db = NULL;
    int64_t asset_id = 0;
    int64_t sensor_id = 0;
    int64_t id = 0;
    bool is_new = false;
    enum ft_status st = db_open_writer(path, true, &db, err);
    if (st != FT_OK)
        return st;
    st = asset_ensure(db, "P-1", "pump", &asset_id, err);
    if (st == FT_OK)
        st = sensor_ensure(db, asset_id, "vib", &sensor_id, err);
    const struct event e = {.asset_id = asset_id, .kind = EVENT_ALARM, .code = (char *)"E1"};
    if (st == FT_OK)
        st = event_put(db, &e, &id, &is_new, err);
    if (st == FT_OK)
        st = use_readings(db, sensor_id, err);
    if (st == FT_OK)
        st = use_lists(db, asset_id, err);
    db_close(db);
    return st;
}
#endif

static void test_db_no_memory_anywhere(void **state)
{
#ifdef NO_MEMORY
    struct db_fixture *f = *state;
    int n_refused = 0;
    db_close(f->db);
    f->db = NULL;
    for (long k = 0;; k += 1 + k / 20) { /* denser where the file is opened */
        unlink(f->path);
        no_memory_refused = 0;
        no_memory_in = k;
        const enum ft_status st = use_store(f->path, &f->err);
        no_memory_in = -1;
        if (st != FT_OK && st != FT_NOMEM)
            fail_msg("request %ld: %s: %s", k, ft_status_name(st), f->err.msg);
        n_refused += st == FT_NOMEM;
        assert_ok(db_open_writer(f->path, true, &f->db, &f->err), f->err);
        assert_ok(db_check(f->db, &f->err), f->err);
        db_close(f->db);
        f->db = NULL;
        if (no_memory_refused == 0)
            break;
    }
    assert_true(n_refused > 50);
#else
    skip();
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {db_test(test_db_no_memory_anywhere)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
