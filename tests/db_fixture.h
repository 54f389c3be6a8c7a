/* A fresh database in a folder of its own for each test: cmocka_unit_test_setup_teardown(f,
 * db_fixture_open, db_fixture_close), then struct db_fixture *f = *state. */
#ifndef TESTS_DB_FIXTURE_H
#define TESTS_DB_FIXTURE_H

#include "tests/test.h"

#include "db/asset_store.h"
#include "db/db.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

struct db_fixture {
    char folder[64];
    char path[96]; /* folder/fettle.db */
    struct db *db; /* the writer */
    struct ft_err err;
};

static inline void db_fixture_reopen(struct db_fixture *f)
{
    db_close(f->db);
    f->db = NULL;
    assert_ok(db_open_writer(f->path, true, &f->db, &f->err), f->err);
}

static inline int db_fixture_open(void **state)
{
    struct db_fixture *f = calloc(1, sizeof(*f));
    if (f == NULL)
        return -1;
    snprintf(f->folder, sizeof(f->folder), "/tmp/fettle-test-XXXXXX");
    if (mkdtemp(f->folder) == NULL) {
        free(f);
        return -1;
    }
    snprintf(f->path, sizeof(f->path), "%s/fettle.db", f->folder);
    *state = f;
    if (db_open_writer(f->path, true, &f->db, &f->err) == FT_OK)
        return 0;
    fprintf(stderr, "%s\n", f->err.msg);
    return -1;
}

static inline int db_fixture_close(void **state)
{
    struct db_fixture *f = *state;
    db_close(f->db);
    DIR *dir = opendir(f->folder);
    for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;) {
        char path[sizeof(f->folder) + 260];
        snprintf(path, sizeof(path), "%s/%s", f->folder, e->d_name);
        if (e->d_name[0] != '.')
            unlink(path);
    }
    if (dir != NULL)
        closedir(dir);
    rmdir(f->folder);
    free(f);
    return 0;
}

/* A sensor to write to: asset "A-1" of class "pump". */
static inline int64_t db_fixture_sensor(struct db_fixture *f, const char *name)
{
    int64_t asset_id = 0;
    int64_t sensor_id = 0;
    assert_ok(asset_ensure(f->db, "A-1", "pump", &asset_id, &f->err), f->err);
    assert_ok(sensor_ensure(f->db, asset_id, name, &sensor_id, &f->err), f->err);
    return sensor_id;
}

#define db_test(f) cmocka_unit_test_setup_teardown(f, db_fixture_open, db_fixture_close)

#endif
