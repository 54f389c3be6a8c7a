/* Metrics by name, and of the held-out rows of one fold. */
#include "app/validate_private.h"
#include "models/metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    bool is_higher_better;
    enum model_task task;
} metrics[] = {
    [VALIDATE_PR_AUC] = {"pr_auc", true, TASK_CLASSIFY},
    [VALIDATE_ROC_AUC] = {"auc", true, TASK_CLASSIFY},
    [VALIDATE_LOG_LOSS] = {"logloss", false, TASK_CLASSIFY},
    [VALIDATE_BRIER] = {"brier", false, TASK_CLASSIFY},
    [VALIDATE_RMSE] = {"rmse", false, TASK_REGRESS},
    [VALIDATE_MAE] = {"mae", false, TASK_REGRESS},
    [VALIDATE_CONCORDANCE] = {"concordance", true, TASK_SURVIVAL},
};
enum { N_METRICS = sizeof(metrics) / sizeof(metrics[0]) };

const char *validate_metric_name(enum validate_metric metric)
{
    return metrics[metric].name;
}

int validate_metric_by_name(const char *name)
{
    for (int i = 0; i < N_METRICS; i++)
        if (strcmp(metrics[i].name, name) == 0)
            return i;
    return -1;
}

bool validate_is_higher_better(enum validate_metric metric)
{
    return metrics[metric].is_higher_better;
}

bool validate_metric_suits(enum validate_metric metric, enum model_task task)
{
    return metrics[metric].task == task;
}

enum validate_metric validate_default_metric(enum model_task task)
{
    return task == TASK_CLASSIFY  ? VALIDATE_PR_AUC
           : task == TASK_REGRESS ? VALIDATE_RMSE
                                  : VALIDATE_CONCORDANCE;
}

/* Truth and raw predictions of the rows of one fold, side by side. */
struct picked {
    double *raw, *y, *weight; /* weight NULL = all 1 */
    bool *failed;
    size_t n;
};

static double metric_of(enum validate_metric metric, struct picked *p)
{
    if (metric == VALIDATE_LOG_LOSS || metric == VALIDATE_BRIER)
        for (size_t i = 0; i < p->n; i++)
            p->raw[i] = 1 / (1 + exp(-p->raw[i]));
    switch (metric) {
    case VALIDATE_PR_AUC:
        return metric_pr_auc(p->raw, p->y, p->weight, p->n);
    case VALIDATE_ROC_AUC:
        return metric_roc_auc(p->raw, p->y, p->weight, p->n);
    case VALIDATE_LOG_LOSS:
        return metric_log_loss(p->raw, p->y, p->weight, p->n);
    case VALIDATE_BRIER:
        return metric_brier(p->raw, p->y, p->weight, p->n);
    case VALIDATE_RMSE:
        return metric_rmse(p->raw, p->y, p->weight, p->n);
    case VALIDATE_MAE:
        return metric_mae(p->raw, p->y, p->weight, p->n);
    case VALIDATE_CONCORDANCE:
        return metric_concordance(p->raw, p->y, p->failed, p->n);
    }
    return NAN;
}

enum ft_status validate_fold_metric(const struct validate_plan *plan, const struct fold *fold,
                                    const double *raw, double *out, struct ft_err *err)
{
    const size_t n = fold->n_test;
    struct picked p = {.raw = calloc(n, sizeof(double)),
                       .y = calloc(n, sizeof(double)),
                       .weight = plan->weight != NULL ? calloc(n, sizeof(double)) : NULL,
                       .failed = calloc(n, sizeof(bool)),
                       .n = n};
    enum ft_status st = FT_OK;
    if (p.raw == NULL || p.y == NULL || p.failed == NULL ||
        (plan->weight != NULL && p.weight == NULL)) {
        st = ft_fail(err, FT_NOMEM, "validation: no memory for %zu rows", n);
    } else {
        for (size_t i = 0; i < n; i++) {
            p.raw[i] = raw[i];
            p.y[i] = plan->y[fold->test[i]];
            p.failed[i] = plan->failed != NULL && plan->failed[fold->test[i]];
            if (p.weight != NULL)
                p.weight[i] = plan->weight[fold->test[i]];
        }
        *out = metric_of(plan->metric, &p);
    }
    free(p.raw);
    free(p.y);
    free(p.weight);
    free(p.failed);
    return st;
}
