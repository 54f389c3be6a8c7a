#include "app/ingest/columns.h"

#include "app/ingest/csv.h"
#include "app/ingest/limits.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_SIZE = 64 };

/* Words of a header that speak for a role, most telling first; compared without case, blanks and
 * punctuation ("Machine ID" is machineid). */
static const char *const words[COLUMN_ROLE_COUNT][40] = {
    [COLUMN_ASSET] = {"asset",       "assetid",   "assetkey",    "assettag",     "assetno",
                      "assetnumber", "assetname", "machine",     "machineid",    "machinename",
                      "machineno",   "equipment", "equipmentid", "equipmentno",  "equip",
                      "equnr",       "device",    "deviceid",    "engine",       "engineid",
                      "turbine",     "turbineid", "pump",        "pumpid",       "vehicle",
                      "vehicleid",   "unitid",    "unitnumber",  "unitno",       "unitnr",
                      "tag",         "tagname",   "serial",      "serialnumber", "maschine",
                      "anlage",      "geraet",    "key",         "unit"},
    [COLUMN_TIME] = {"time",        "timestamp",  "datetime",  "timestamputc", "timeutc",
                     "datetimeutc", "ts",         "tsms",      "timems",       "timestampms",
                     "timems",      "epoch",      "epochms",   "unixtime",     "instant",
                     "at",          "when",       "eventtime", "occurred",     "occurredat",
                     "date",        "day",        "zeit",      "zeitstempel",  "datum",
                     "failuretime", "failuredate"},
    [COLUMN_CYCLE] = {"cycle", "cycles", "cycleno", "cyclenumber", "timecycles", "timeincycles"},
    [COLUMN_SENSOR] = {"sensor", "sensorid", "sensorname", "signal", "signalname", "channel",
                       "channelname", "metric", "variable", "parameter", "measurement",
                       "measurementname", "quantity", "field"},
    [COLUMN_VALUE] = {"value", "val", "reading", "measuredvalue", "measurementvalue", "sensorvalue",
                      "wert", "messwert"},
    [COLUMN_COMPONENT] = {"component", "componentid", "componentname", "comp", "part", "partname",
                          "failedcomponent", "bauteil"},
    [COLUMN_CODE] = {"code", "errorid", "errorcode", "error", "alarm", "alarmid", "alarmcode",
                     "faultcode", "fault", "failurecode", "failuremode", "eventcode"},
    [COLUMN_NOTE] = {"note", "notes", "comment", "comments", "description", "text", "remark"},
    [COLUMN_EXTERNAL_KEY] = {"externalkey", "externalid", "eventid", "workorder", "workorderid",
                             "workorderno", "wo", "notification"},
    [COLUMN_DOWNTIME_H] = {"downtimeh", "downtimehours", "hoursdown", "downtime"},
    [COLUMN_CLASS] = {"class", "assetclass", "classname", "type", "assettype", "equipmenttype",
                      "machinetype", "category"},
    [COLUMN_NAME] = {"name", "assetname", "description", "title", "bezeichnung"},
    [COLUMN_AREA] = {"area", "location", "line", "site", "plant", "building", "department"},
    [COLUMN_COMMISSIONED] = {"commissioned", "commissionedat", "commissioneddate", "commissioning",
                             "commissioningdate", "installed", "installedat", "installdate",
                             "installationdate", "inservice", "inservicedate", "startdate"},
    [COLUMN_KIND] = {"kind", "eventkind", "eventtype"},
    [COLUMN_COST] = {"cost", "totalcost", "costs", "repaircost"},
    [COLUMN_RETIRED] = {"retired", "retiredat", "decommissioned", "retireddate"},
    [COLUMN_HELD_OUT] = {"heldout"},
    [COLUMN_TRUE_RUL_MS] = {"truerulms"},
    [COLUMN_PART] = {"partserial", "serialnumber", "serial", "serialno"},
    [COLUMN_COST_PER_H] = {"downtimecostperh", "downtimecostperhour", "downtimecost",
                           "downtimeperh", "costperhour", "costperh", "costofdowntimeperhour"},
};

/* Lower-case letters and digits of a name (bytes above 127 are kept). */
static void fold(const char *name, char out[WORD_SIZE])
{
    size_t n = 0;
    for (; *name != '\0' && n + 1 < WORD_SIZE; name++) {
        const unsigned char c = (unsigned char)*name;
        if (c >= 0x80 || isalnum(c))
            out[n++] = (char)tolower(c);
    }
    out[n] = '\0';
}

enum ft_status columns_from_header(const struct csv_record *header, const char *file,
                                   struct columns *out, struct ft_err *err)
{
    *out = (struct columns){.names = calloc(header->n + 1, sizeof(char *))};
    if (out->names == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for the header of %s", file);
    for (size_t i = 0; i < header->n; i++) {
        const struct csv_field f = csv_trim(header->fields[i]);
        enum ft_status st = FT_OK;
        if (f.len > 0)
            st = ingest_check_name("header", f.p, f.len, err);
        for (size_t k = 0; k < out->n && st == FT_OK && f.len > 0; k++)
            if (strlen(out->names[k]) == f.len && memcmp(out->names[k], f.p, f.len) == 0)
                st = ft_fail(err, FT_INVALID, "the name '%.60s' occurs twice in the header",
                             out->names[k]);
        if (st == FT_OK && (out->names[i] = strndup(f.p != NULL ? f.p : "", f.len)) == NULL)
            st = ft_fail(err, FT_NOMEM, "no memory for the header");
        if (st != FT_OK) {
            columns_free(out);
            return ft_err_prefix(err, "%s: line 1, column %zu", file, i + 1);
        }
        out->n++;
    }
    return FT_OK;
}

void columns_free(struct columns *c)
{
    for (size_t i = 0; i < c->n; i++)
        free(c->names[i]);
    free(c->names);
    *c = (struct columns){0};
}

int columns_find(const struct columns *c, const char *name)
{
    char want[WORD_SIZE];
    char have[WORD_SIZE];
    for (size_t i = 0; i < c->n; i++)
        if (strcmp(c->names[i], name) == 0)
            return (int)i;
    fold(name, want);
    for (size_t i = 0; i < c->n; i++) {
        fold(c->names[i], have);
        if (want[0] != '\0' && strcmp(have, want) == 0)
            return (int)i;
    }
    return COLUMN_NONE;
}

int columns_guess(const struct columns *c, enum column_role role, const bool *taken)
{
    for (size_t w = 0; w < 40 && words[role][w] != NULL; w++)
        for (size_t i = 0; i < c->n; i++) {
            char have[WORD_SIZE];
            fold(c->names[i], have);
            if ((taken == NULL || !taken[i]) && strcmp(have, words[role][w]) == 0)
                return (int)i;
        }
    return COLUMN_NONE;
}

enum ft_status columns_pick(const struct columns *c, enum column_role role, const char *wanted,
                            const char *file, const bool *taken, int *column, struct ft_err *err)
{
    char list[200];
    if (wanted == NULL) {
        *column = columns_guess(c, role, taken);
        return FT_OK;
    }
    *column = columns_find(c, wanted);
    if (*column == COLUMN_NONE)
        return ft_fail(err, FT_INVALID, "%s: line 1: no column '%.60s'; there are: %s", file,
                       wanted, columns_list(c, list, sizeof(list)));
    return FT_OK;
}

const char *columns_list(const struct columns *c, char *out, size_t size)
{
    size_t at = 0;
    out[0] = '\0';
    for (size_t i = 0; i < c->n && at + 1 < size; i++) {
        if (at + strlen(c->names[i]) + 8 > size) {
            snprintf(out + at, size - at, ", ...");
            break;
        }
        at += (size_t)snprintf(out + at, size - at, "%s%s", i > 0 ? ", " : "", c->names[i]);
    }
    return out;
}
