/* What is known of sensors that are there already: unit, role, the values that can be, and where a
 * meter begins at 0 again. A row speaks of one asset's sensor, of a class's, or of all of a name.
 */
#include "app/base/json.h"
#include "app/ingest/import_records.h"
#include "db/asset_store.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The facts of one row; NULL and NaN change nothing. */
struct facts {
    const char *sensor, *unit, *role;
    double low, high, rollover;
};

static enum ft_status read_facts(const cJSON *row, struct facts *f, struct ft_err *err)
{
    *f = (struct facts){.low = NAN, .high = NAN, .rollover = NAN};
    enum ft_status st = json_string(row, "sensor", true, &f->sensor, err);
    if (st == FT_OK)
        st = json_string(row, "unit", false, &f->unit, err);
    if (st == FT_OK)
        st = json_string(row, "role", false, &f->role, err);
    if (st == FT_OK)
        st = json_number(row, "low", false, &f->low, err);
    if (st == FT_OK)
        st = json_number(row, "high", false, &f->high, err);
    if (st == FT_OK)
        st = json_number(row, "rollover", false, &f->rollover, err);
    if (st != FT_OK)
        return st;
    if (f->role != NULL && strcmp(f->role, "sensor") != 0 && strcmp(f->role, "setting") != 0 &&
        strcmp(f->role, "meter") != 0)
        return ft_fail(err, FT_INVALID, "role: expected sensor, setting or meter");
    if (f->low > f->high)
        return ft_fail(err, FT_INVALID, "low: above high");
    if (f->rollover <= 0)
        return ft_fail(err, FT_INVALID, "rollover: expected a number above 0");
    return FT_OK;
}

static void set_number(double *to, double v, bool *is_changed)
{
    if (isnan(v) || *to == v)
        return;
    *to = v;
    *is_changed = true;
}

static enum ft_status change(struct db *db, const struct sensor *before, const struct facts *f,
                             bool is_dry_run, bool *is_changed, struct ft_err *err)
{
    struct sensor s = *before; /* borrows */
    bool is_other = false;
    if (f->unit != NULL && (s.unit == NULL || strcmp(s.unit, f->unit) != 0)) {
        s.unit = (char *)(uintptr_t)f->unit;
        is_other = true;
    }
    if (f->role != NULL) {
        s.role = strcmp(f->role, "meter") == 0     ? SENSOR_ROLE_METER
                 : strcmp(f->role, "setting") == 0 ? SENSOR_ROLE_SETTING
                                                   : SENSOR_ROLE_SENSOR;
        is_other = is_other || s.role != before->role;
    }
    set_number(&s.low, f->low, &is_other);
    set_number(&s.high, f->high, &is_other);
    set_number(&s.rollover, f->rollover, &is_other);
    *is_changed = *is_changed || is_other;
    return is_other && !is_dry_run ? sensor_update(db, &s, err) : FT_OK;
}

/* The sensors of that name on the assets of a list. */
static enum ft_status change_all(struct db *db, const struct asset_list *assets,
                                 const struct facts *f, bool is_dry_run, size_t *n_found,
                                 bool *is_changed, struct ft_err *err)
{
    enum ft_status st = FT_OK;
    for (size_t i = 0; i < assets->n && st == FT_OK; i++) {
        struct sensor_list sensors = {0};
        st = sensor_list(db, assets->items[i].id, &sensors, err);
        for (size_t k = 0; k < sensors.n && st == FT_OK; k++) {
            if (strcmp(sensors.items[k].name, f->sensor) != 0)
                continue;
            (*n_found)++;
            st = change(db, &sensors.items[k], f, is_dry_run, is_changed, err);
        }
        sensor_list_free(&sensors);
    }
    return st;
}

static enum ft_status find_assets(struct db *db, const cJSON *row, struct asset_list *out,
                                  struct ft_err *err)
{
    const char *key = NULL;
    const char *class_name = NULL;
    struct asset_class c = {0};
    enum ft_status st = json_string(row, "asset", false, &key, err);
    if (st == FT_OK)
        st = json_string(row, "class", false, &class_name, err);
    if (st == FT_OK && key != NULL) {
        out->items = calloc(1, sizeof(*out->items));
        if (out->items == NULL)
            return ft_fail(err, FT_NOMEM, "no memory for an asset");
        st = asset_find(db, key, out->items, err);
        out->n = st == FT_OK;
        return st;
    }
    if (st == FT_OK && class_name != NULL)
        st = class_find(db, class_name, &c, err);
    if (st == FT_OK)
        st = asset_list(db, c.id, out, err);
    asset_class_clear(&c);
    return st;
}

static enum ft_status take_sensor(struct db *db, void *ctx, const cJSON *row, bool is_dry_run,
                                  enum record_outcome *outcome, struct ft_err *err)
{
    struct asset_list assets = {0};
    struct facts f;
    size_t n_found = 0;
    bool is_changed = false;
    (void)ctx;
    enum ft_status st = read_facts(row, &f, err);
    if (st == FT_OK)
        st = find_assets(db, row, &assets, err);
    if (st == FT_OK)
        st = change_all(db, &assets, &f, is_dry_run, &n_found, &is_changed, err);
    if (st == FT_OK && n_found == 0)
        st = ft_fail(err, FT_NOT_FOUND, "there is no sensor '%.100s' there", f.sensor);
    *outcome = is_changed ? RECORD_CHANGED : RECORD_UNCHANGED;
    asset_list_free(&assets);
    return st;
}

enum ft_status import_sensors(struct db *db, const char *file, const struct import_options *o,
                              struct import_summary *out, struct ft_err *err)
{
    static const struct record_column columns[] = {
        {"sensor|name|tag|signal", "sensor", RECORD_TEXT},
        {"asset|machine|equipment", "asset", RECORD_TEXT},
        {"class|asset_class", "class", RECORD_TEXT},
        {"unit|uom", "unit", RECORD_TEXT},
        {"role|kind", "role", RECORD_TEXT},
        {"low|min|least", "low", RECORD_NUMBER},
        {"high|max|greatest", "high", RECORD_NUMBER},
        {"rollover|roll_over|modulus", "rollover", RECORD_NUMBER}};
    static const struct record_kind kind = {
        "sensors", columns, sizeof(columns) / sizeof(columns[0]), take_sensor, NULL, NULL};
    return import_records(db, file, o, &kind, out, err);
}
