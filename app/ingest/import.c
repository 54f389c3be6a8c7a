#include "app/ingest/import.h"

#include "app/base/json.h"
#include "db/asset_store.h"

#include <stdarg.h>
#include <stdio.h>

void import_summary_clear(struct import_summary *s)
{
    cJSON_Delete(s->mapping);
    s->mapping = NULL;
}

cJSON *import_summary_to_json(const struct import_summary *s)
{
    cJSON *out = cJSON_CreateObject();
    json_add_string(out, "file", s->file);
    json_add_string(out, "kind", s->kind);
    json_add_int(out, "rows", s->n_rows);
    json_add_int(out, "new", s->n_new);
    json_add_int(out, "changed", s->n_changed);
    json_add_int(out, "unchanged", s->n_unchanged);
    json_add_int(out, "quarantined", s->n_bad);
    json_add_int(out, "missing", s->n_missing);
    json_add_int(out, "assets", s->n_assets);
    json_add_int(out, "assets_new", s->n_assets_new);
    json_add_int(out, "sensors", s->n_sensors);
    json_add_number(out, "seconds", s->seconds);
    if (s->first_ms != DB_NO_TIME) {
        json_add_instant(out, "first", s->first_ms);
        json_add_instant(out, "last", s->last_ms);
    } else {
        json_add_null(out, "first");
        json_add_null(out, "last");
    }
    cJSON *mapping = s->mapping != NULL ? cJSON_Duplicate(s->mapping, true) : cJSON_CreateNull();
    if (out == NULL || mapping == NULL || !cJSON_AddItemToObject(out, "mapping", mapping))
        cJSON_Delete(mapping);
    json_add_bool(out, "dry_run", s->is_dry_run);
    return out;
}

enum ft_status import_outcome(const struct import_summary *s, struct ft_err *err)
{
    if (s->n_bad == 0)
        return FT_OK;
    return ft_fail(err, FT_PARTIAL, "%s: %lld of %lld rows %s", s->file, (long long)s->n_bad,
                   (long long)s->n_rows,
                   s->is_dry_run ? "would go to quarantine" : "went to quarantine");
}

void import_say(const struct import_options *o, const char *fmt, ...)
{
    char line[1024];
    va_list ap;
    if (o->say == NULL)
        return;
    va_start(ap, fmt);
    vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    o->say(o->ctx, line);
}
