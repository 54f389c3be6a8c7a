#include "app/leak_guard.h"

#include "models/metrics.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MIN_EACH = 30, MIN_ROWS = 60, MAX_ROWS = 20000 /* looked at, every n-th of more */ };
/* Honest columns of plant data stay well below: the best of AI4I orders 0.79 of the pairs. */
static const double alone_01 = 0.985, alone_number = 0.99;
static const double row_order = 0.9, row_steps = 0.999;
static const double named = 0.55;
/* Words of the future and of the plan, as parts of a name between other signs. */
static const char *const words[] = {"next",  "future",   "upcoming",  "planned",
                                    "plan",  "schedule", "scheduled", "due",
                                    "until", "rul",      "ttf",       "remaining"};

/* Does the name hold one of the words as a part of its own ("next_pm", "daysUntilPM")? */
static bool is_named_so(const char *name)
{
    char part[32];
    size_t n = 0;
    for (size_t i = 0;; i++) {
        const unsigned char c = (unsigned char)name[i];
        const bool is_edge =
            !isalnum(c) || (i > 0 && isupper(c) && islower((unsigned char)name[i - 1]));
        if (is_edge && n > 0) {
            part[n] = '\0';
            for (size_t w = 0; w < sizeof(words) / sizeof(words[0]); w++)
                if (strcmp(part, words[w]) == 0)
                    return true;
            n = 0;
        }
        if (c == '\0')
            return false;
        if (isalnum(c) && n + 1 < sizeof(part))
            part[n++] = (char)tolower(c);
    }
}

/* The present values of a column and their labels, in row order. */
struct pairs {
    double *v, *y;
    size_t n, n_high, n_steps, n_up, n_down;
};

static void gather(const struct matrix *x, size_t column, const double *y, struct pairs *p)
{
    const size_t every = x->n_rows / MAX_ROWS + 1;
    for (size_t i = 0; i < x->n_rows; i += every) {
        const double v = matrix_value(x, i, column);
        if (!isfinite(v) || !isfinite(y[i]))
            continue;
        if (p->n > 0) {
            p->n_steps++;
            p->n_up += v > p->v[p->n - 1];
            p->n_down += v < p->v[p->n - 1];
        }
        p->v[p->n] = v;
        p->y[p->n] = y[i];
        p->n_high += y[i] > 0;
        p->n++;
    }
}

/* Share of pairs of rows that the column puts in the order of the label, in the better direction:
 * the area under the ROC curve, or the concordance with a number. */
static enum ft_status strength_of(const struct pairs *p, bool is_01, double *out,
                                  struct ft_err *err)
{
    double share;
    if (is_01) {
        share = metric_roc_auc(p->v, p->y, NULL, p->n);
    } else {
        bool *all = malloc((p->n + 1) * sizeof(*all));
        if (all == NULL)
            return ft_fail(err, FT_NOMEM, "leaks: no memory for %zu rows", p->n);
        for (size_t i = 0; i < p->n; i++)
            all[i] = true;
        share = metric_concordance(p->v, p->y, all, p->n);
        free(all);
    }
    *out = isfinite(share) ? fmax(share, 1 - share) : 0.5;
    return FT_OK;
}

enum ft_status leak_check(const char *name, const struct matrix *x, size_t column, const double *y,
                          bool is_01, struct leak *out, struct ft_err *err)
{
    struct pairs p = {.v = malloc((x->n_rows + 1) * sizeof(double)),
                      .y = malloc((x->n_rows + 1) * sizeof(double))};
    enum ft_status st = FT_OK;
    *out = (struct leak){LEAK_NONE, 0.5};
    if (p.v == NULL || p.y == NULL) {
        st = ft_fail(err, FT_NOMEM, "leaks: no memory for %zu rows", x->n_rows);
        goto out;
    }
    gather(x, column, y, &p);
    if (p.n < MIN_ROWS || (is_01 && (p.n_high < MIN_EACH || p.n - p.n_high < MIN_EACH)))
        goto out;
    st = strength_of(&p, is_01, &out->strength, err);
    const double steps = fmax((double)p.n_up, (double)p.n_down) / (double)p.n_steps;
    if (out->strength >= row_order && steps >= row_steps)
        out->kind = LEAK_ROW_ORDER;
    else if (out->strength >= (is_01 ? alone_01 : alone_number))
        out->kind = LEAK_ALONE;
    else if (out->strength >= named && is_named_so(name))
        out->kind = LEAK_NAME;
out:
    free(p.v);
    free(p.y);
    return st;
}

static bool is_listed(const char *list, const char *name)
{
    const size_t len = strlen(name);
    while (list != NULL && *list != '\0') {
        const size_t n = strcspn(list, ",");
        if (n == len && strncmp(list, name, n) == 0)
            return true;
        list += n + (list[n] == ',');
    }
    return false;
}

enum ft_status leak_guard_one(const char *what, const char *name, const struct matrix *x,
                              size_t column, const double *y, bool is_01, const char *trusted,
                              const char *advice, struct ft_err *err)
{
    static const char *const why[] = {
        [LEAK_ALONE] = "tells the label almost alone, like a copy of it",
        [LEAK_ROW_ORDER] = "counts the rows, which are sorted by the label",
        [LEAK_NAME] = "is named after the plan or the future, and tells the label"};
    struct leak leak;
    if (is_listed(trusted, name))
        return FT_OK;
    const enum ft_status st = leak_check(name, x, column, y, is_01, &leak, err);
    if (st != FT_OK || leak.kind == LEAK_NONE)
        return st;
    return ft_fail(err, FT_REFUSED,
                   "%s '%.60s' %s (it puts %.1f %% of the pairs of rows in order): %s", what, name,
                   why[leak.kind], 100 * leak.strength, advice);
}

enum ft_status leak_guard(const char *const *names, const struct matrix *x, const double *y,
                          bool is_01, const char *trusted, struct ft_err *err)
{
    enum ft_status st = FT_OK;
    for (size_t j = 0; j < x->n_cols && st == FT_OK; j++)
        st = leak_guard_one("column", names[j], x, j, y, is_01, trusted,
                            "leave it out with --drop, or vouch for it with --trust", err);
    return st;
}
