/* Champion and challenger. */
#include "app/registry.h"

#include "app/base/json.h"
#include "app/version.h"
#include "db/asset_store.h"
#include "db/model_store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Models of each state that stay for comparison; a year of nights would fill the file. */
enum { NIGHTS_KEPT = 7 };

/* What a model and age alone reached on the rows of one night; lower is better, NaN = unknown. */
struct reached {
    double score, baseline;
};

static struct reached read_reached(const char *text)
{
    cJSON *metrics = NULL;
    const cJSON *baseline = NULL;
    const char *name = NULL;
    struct reached x = {NAN, NAN};
    if (text == NULL || json_parse(text, strlen(text), &metrics, NULL) != FT_OK)
        return x;
    (void)json_number(metrics, "score", false, &x.score, NULL);
    (void)json_string(metrics, "score_metric", false, &name, NULL);
    (void)json_object(metrics, "baseline", false, &baseline, NULL);
    if (name != NULL && baseline != NULL)
        (void)json_number(baseline, name, false, &x.baseline, NULL);
    cJSON_Delete(metrics);
    return x;
}

/* The kind of the champion on tonight's folds: the same rows, fitted tonight. NULL when it was no
 * candidate. */
static const struct train_model *same_folds(const struct train_result *r,
                                            const struct train_model *m,
                                            const struct model_row *champion)
{
    for (size_t i = 0; i < r->n_models; i++)
        if (r->models[i].component_id == m->component_id &&
            strcmp(r->models[i].kind, champion->kind) == 0)
            return &r->models[i];
    return NULL;
}

struct verdict {
    const char *state;
    char reason[900];
    int64_t same_id; /* the champion is this very model file: nothing new to store; 0 = no */
};

/* Is the challenger worse than the champion was? Two nights have other rows, and an eventful month
 * is harder to foretell than a calm one: the share of age alone's loss that is left is compared,
 * and the plain scores only where age alone is unknown. */
static bool is_worse(struct reached now, struct reached before, double slack)
{
    if (!isfinite(before.score))
        return false;
    if (now.baseline > 0 && before.baseline > 0)
        return (now.score - slack) / now.baseline > before.score / before.baseline;
    return now.score > before.score + slack;
}

/* Slack of a comparison between two nights: the standard error of the challenger's advantage over
 * age alone stands for the noise of its score. RMSE scores carry theirs on the squared scale. */
static double slack(const struct train_result *r, const struct train_model *m)
{
    if (!isfinite(m->score_se))
        return 0;
    if (strcmp(r->target, "rul") == 0)
        return m->score > 0 ? m->score_se / (2 * m->score) : 0;
    return 0.05 * m->score; /* log loss: per asset and per row differ, so a share of it */
}

static enum ft_status judge(struct db *db, const struct train_result *r,
                            const struct train_model *m, enum registry_policy policy,
                            struct verdict *v, struct ft_err *err)
{
    struct model_row champion = {0};
    v->state = m->is_champion ? "champion" : m->beats_baseline ? "candidate" : "off";
    (void)snprintf(v->reason, sizeof(v->reason), "%s", m->reason);
    if (!m->is_champion || policy == REGISTRY_TRAIN)
        return FT_OK;
    const enum ft_status st =
        model_champion(db, r->class_id, r->target, m->component_id, r->horizon_ms, &champion, err);
    if (st == FT_NOT_FOUND)
        return FT_OK;
    if (st != FT_OK)
        return st;
    const struct reached before = read_reached(champion.metrics);
    const struct reached now = {m->score, read_reached(m->metrics).baseline};
    const struct train_model *peer = same_folds(r, m, &champion);
    if (strcmp(champion.sha256, m->sha256) == 0) {
        v->same_id = champion.id;
        (void)snprintf(v->reason, sizeof(v->reason),
                       "unchanged: the data gave model %lld again; %s", (long long)champion.id,
                       m->reason);
    } else if (peer != NULL && peer != m && peer->score > m->score) {
        /* Scores of two nights have other rows in them; these two have the same. */
        (void)snprintf(v->reason, sizeof(v->reason),
                       "replaces model %lld: on the same folds %.5g, its kind (%s) reaches %.5g "
                       "tonight; %s",
                       (long long)champion.id, m->score, champion.kind, peer->score, m->reason);
    } else {
        const bool stays = is_worse(now, before, slack(r, m));
        if (stays)
            v->state = "candidate";
        (void)snprintf(
            v->reason, sizeof(v->reason),
            "%s model %lld: out of fold %.5g where age alone reaches %.5g; it had reached "
            "%.5g where age alone reached %.5g; lower is better; %s",
            stays ? "does not replace" : "replaces", (long long)champion.id, now.score,
            now.baseline, before.score, before.baseline, m->reason);
    }
    model_clear(&champion);
    return FT_OK;
}

static enum ft_status store(struct db *db, const struct train_result *r,
                            const struct train_model *m, const struct verdict *v, int64_t run_id,
                            int64_t now_ms, int64_t *id, struct ft_err *err)
{
    char build[] = FETTLE_VERSION;
    char *state = strdup(v->state);
    char *reason = strdup(v->reason);
    char *kind = strdup(m->kind);
    enum ft_status st = FT_NOMEM;
    if (state != NULL && reason != NULL && kind != NULL) {
        const struct model_row row = {.class_id = r->class_id,
                                      .target = r->target,
                                      .component_id = m->component_id,
                                      .horizon_ms = r->horizon_ms,
                                      .kind = kind,
                                      .state = state,
                                      .reason = reason,
                                      .created_ms = now_ms,
                                      .until_ms = r->until_ms,
                                      .run_id = run_id,
                                      .seed = (int64_t)r->seed,
                                      .build = build,
                                      .fingerprint = m->fingerprint,
                                      .params = m->params,
                                      .features = m->features,
                                      .metrics = m->metrics,
                                      .sha256 = m->sha256,
                                      .body = m->body,
                                      .body_len = m->body_len};
        st = model_insert(db, &row, id, err);
    } else {
        st = ft_fail(err, FT_NOMEM, "registry: no memory");
    }
    free(state);
    free(reason);
    free(kind);
    return st;
}

/* Is there a model of this kind, component and horizon that is off already? */
static enum ft_status has_off_row(struct db *db, const struct train_result *r,
                                  const struct train_model *m, bool *found, struct ft_err *err)
{
    struct model_list list = {0};
    const enum ft_status st = model_list(db, r->class_id, r->target, "off", &list, err);
    *found = false;
    for (size_t i = 0; i < list.n; i++)
        *found = *found || (list.items[i].component_id == m->component_id &&
                            list.items[i].horizon_ms == r->horizon_ms &&
                            strcmp(list.items[i].kind, m->kind) == 0);
    model_list_free(&list);
    return st;
}

/* Puts a member in place of the one with the same key. */
static void replace(cJSON *to, const char *key, cJSON *value)
{
    if (value == NULL)
        return;
    cJSON_DeleteItemFromObjectCaseSensitive(to, key);
    cJSON_AddItemToObject(to, key, value);
}

/* One component: its members stand at the top of the report too. */
static void lift_component(cJSON *report, const cJSON *component)
{
    const cJSON *member;
    cJSON_ArrayForEach (member, component) {
        if (strcmp(member->string, "rows") != 0)
            replace(report, member->string, cJSON_Duplicate(member, true));
    }
}

/* Several: all candidates in one list, each with its component; champion when any has one. */
static void lift_candidates(cJSON *report, const cJSON *components)
{
    const cJSON *component;
    cJSON *list = cJSON_CreateArray();
    bool has_champion = false;
    cJSON_ArrayForEach (component, components) {
        const cJSON *item;
        const cJSON *name = json_get(component, "component");
        has_champion = has_champion || cJSON_IsTrue(json_get(component, "champion"));
        cJSON_ArrayForEach (item, json_get(component, "candidates")) {
            cJSON *copy = cJSON_Duplicate(item, true);
            json_add_string(copy, "component", cJSON_IsString(name) ? name->valuestring : NULL);
            if (copy == NULL || !cJSON_AddItemToArray(list, copy))
                cJSON_Delete(copy);
        }
    }
    replace(report, "model_id", cJSON_CreateNull());
    replace(report, "champion", cJSON_CreateBool(has_champion));
    replace(report, "candidates", list);
}

/* Writes ids and final verdicts into the candidates of the report. */
static void complete_report(struct train_result *r, const int64_t *ids, const struct verdict *v,
                            int64_t run_id)
{
    cJSON *component;
    cJSON *components = cJSON_GetObjectItemCaseSensitive(r->report, "components");
    if (run_id != 0)
        replace(r->report, "run_id", cJSON_CreateNumber((double)run_id));
    cJSON_ArrayForEach (component, components) {
        cJSON *item;
        bool has_champion = false;
        replace(component, "model_id", cJSON_CreateNull());
        cJSON_ArrayForEach (item, cJSON_GetObjectItemCaseSensitive(component, "candidates")) {
            const cJSON *index = cJSON_GetObjectItemCaseSensitive(item, "model");
            const size_t i = cJSON_IsNumber(index) ? (size_t)index->valuedouble : SIZE_MAX;
            if (i < r->n_models) {
                const bool is_champion = strcmp(v[i].state, "champion") == 0;
                replace(item, "model_id",
                        ids[i] != 0 ? cJSON_CreateNumber((double)ids[i]) : cJSON_CreateNull());
                replace(item, "champion", cJSON_CreateBool(is_champion));
                replace(item, "reason", cJSON_CreateString(v[i].reason));
                if (is_champion) {
                    has_champion = true;
                    replace(component, "model_id", cJSON_CreateNumber((double)ids[i]));
                    replace(component, "reason", cJSON_CreateString(v[i].reason));
                }
            }
            cJSON_DeleteItemFromObjectCaseSensitive(item, "model");
        }
        replace(component, "champion", cJSON_CreateBool(has_champion));
    }
    if (cJSON_GetArraySize(components) == 1)
        lift_component(r->report, cJSON_GetArrayItem(components, 0));
    else
        lift_candidates(r->report, components);
}

enum ft_status registry_apply(struct db *writer, struct train_result *result, int64_t run_id,
                              enum registry_policy policy, int64_t now_ms,
                              struct registry_counts *counts, struct ft_err *err)
{
    int64_t *ids = calloc(result->n_models + 1, sizeof(*ids));
    struct verdict *verdicts = calloc(result->n_models + 1, sizeof(*verdicts));
    enum ft_status st = FT_OK;
    if (ids == NULL || verdicts == NULL)
        st = ft_fail(err, FT_NOMEM, "registry: no memory");
    for (size_t i = 0; i < result->n_models && st == FT_OK; i++) {
        const struct train_model *m = &result->models[i];
        st = judge(writer, result, m, policy, &verdicts[i], err);
        /* A night keeps what may speak. What it kept off is stored once, so that the list of models
         * shows it, and is otherwise in the report: a year of nights would fill the file. */
        bool is_kept_off = policy == REGISTRY_NIGHT && strcmp(verdicts[i].state, "off") == 0;
        if (st == FT_OK && is_kept_off)
            st = has_off_row(writer, result, m, &is_kept_off, err);
        ids[i] = verdicts[i].same_id;
        if (st != FT_OK || verdicts[i].same_id != 0 || is_kept_off)
            continue;
        st = store(writer, result, m, &verdicts[i], run_id, now_ms, &ids[i], err);
        if (st != FT_OK || counts == NULL)
            continue;
        counts->n_stored++;
        counts->n_promoted += strcmp(verdicts[i].state, "champion") == 0;
        counts->n_kept += m->is_champion && strcmp(verdicts[i].state, "champion") != 0;
    }
    if (st == FT_OK && policy == REGISTRY_NIGHT)
        st = model_prune(writer, result->class_id, NIGHTS_KEPT, err);
    if (st == FT_OK)
        complete_report(result, ids, verdicts, run_id);
    free(ids);
    free(verdicts);
    return st;
}
