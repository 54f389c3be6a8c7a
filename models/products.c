/* Search and fit. Everything is in column and row order, so the result does not depend on threads.
 */
#include "models/products.h"

#include "app/base/rng.h"
#include "models/text_io.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    SEARCH_TREES = 100,
    SEARCH_DEPTH = 5,
    BLOCK_ROWS = 512,
    STREAM_MEMBERS = 7,
    MAX_COLS = 1 << 24
};
static const double search_rate = 0.1, search_row_sample = 0.6, search_col_sample = 0.3,
                    search_lambda = 5;
/* Members differ by their samples, and are smaller and slower than a model that stands alone:
 * member_rate times its rate. */
static const double member_row_sample = 0.8, member_lambda = 5, member_rate = 0.5;
enum { MEMBER_LEAVES = 16 };

static const size_t MAX_BODY = (size_t)1 << 31;

struct products {
    struct product forms[PRODUCTS_MAX_KEPT];
    size_t n_forms;
    size_t n_cols;
    struct gbdt *members[PRODUCTS_N_MEMBERS];
};

static enum ft_status no_memory(struct ft_err *err)
{
    return ft_fail(err, FT_NOMEM, "products of columns: no memory");
}

double product_value(const struct product *p, const double *row)
{
    double v = NAN;
    switch (p->form) {
    case PRODUCT_TIMES:
        v = row[p->a] * row[p->b];
        break;
    case PRODUCT_OVER:
        v = row[p->a] / row[p->b];
        break;
    case PRODUCT_MINUS:
        v = row[p->a] - row[p->b];
        break;
    case PRODUCT_N_FORMS:
        break;
    }
    return isfinite(v) ? v : NAN;
}

void products_free(struct products *p)
{
    if (p == NULL)
        return;
    for (size_t m = 0; m < PRODUCTS_N_MEMBERS; m++)
        gbdt_free(p->members[m]);
    free(p);
}

/* --- columns beside columns --- */

/* Rows begin, begin + every, ... (n of them) of x with the forms after their own columns. */
static void widen(const struct matrix *x, size_t begin, size_t every, size_t n,
                  const struct product *forms, size_t n_forms, double *out)
{
    const size_t width = x->n_cols + n_forms;
    for (size_t i = 0; i < n; i++) {
        const double *row = matrix_row(x, begin + i * every);
        memcpy(out + i * width, row, x->n_cols * sizeof(*out));
        for (size_t f = 0; f < n_forms; f++)
            out[i * width + x->n_cols + f] = product_value(&forms[f], row);
    }
}

/* --- search --- */

struct rows {
    struct matrix x;
    double *y, *weight; /* of the sample; weight NULL = all 1 */
    size_t every;
};

/* Gains of every column of a wide sample under quick trees. */
static enum ft_status quick_gains(const struct rows *r, const struct product *forms, size_t n_forms,
                                  const struct gbdt_params *params, struct pool *pool, double *gain,
                                  struct ft_err *err)
{
    const size_t width = r->x.n_cols + n_forms;
    const size_t n = (r->x.n_rows + r->every - 1) / r->every;
    struct gbdt_params p = *params;
    struct gbdt *trees = NULL;
    double *wide = calloc(n * width + 1, sizeof(*wide));
    if (wide == NULL)
        return no_memory(err);
    widen(&r->x, 0, r->every, n, forms, n_forms, wide);
    p.n_trees = params->n_trees < SEARCH_TREES ? params->n_trees : SEARCH_TREES;
    p.max_depth = SEARCH_DEPTH;
    p.rate = search_rate;
    p.row_sample = search_row_sample;
    p.col_sample = width > 3 ? search_col_sample : 1;
    p.lambda = search_lambda;
    const struct matrix x = {.data = wide, .n_rows = n, .n_cols = width, .stride = width};
    const enum ft_status st = gbdt_fit(&x, r->y, r->weight, &p, pool, &trees, err);
    if (st == FT_OK)
        gbdt_gain_importance(trees, gain);
    gbdt_free(trees);
    free(wide);
    return st;
}

/* Indexes of the n greatest positive gains of gain[from..to), greatest first; returns how many. */
static size_t greatest(double *gain, size_t from, size_t to, size_t n, size_t *out)
{
    size_t found = 0;
    while (found < n) {
        size_t best = SIZE_MAX;
        for (size_t j = from; j < to; j++)
            if (gain[j] > 0 && (best == SIZE_MAX || gain[j] > gain[best]))
                best = j;
        if (best == SIZE_MAX)
            break;
        gain[best] = 0;
        out[found++] = best;
    }
    return found;
}

static int compare_sizes(const void *pa, const void *pb)
{
    const size_t a = *(const size_t *)pa;
    const size_t b = *(const size_t *)pb;
    return a < b ? -1 : a > b;
}

/* The columns to combine: all of few, else those that plain trees gain most from. */
static enum ft_status choose_base(const struct rows *r, const struct gbdt_params *params,
                                  struct pool *pool, double *gain, size_t *base, size_t *n_base,
                                  struct ft_err *err)
{
    *n_base = r->x.n_cols;
    for (size_t j = 0; j < r->x.n_cols && r->x.n_cols <= PRODUCTS_MAX_BASE; j++)
        base[j] = j;
    if (r->x.n_cols <= PRODUCTS_MAX_BASE)
        return FT_OK;
    const enum ft_status st = quick_gains(r, NULL, 0, params, pool, gain, err);
    if (st != FT_OK)
        return st;
    *n_base = greatest(gain, 0, r->x.n_cols, PRODUCTS_MAX_BASE, base);
    qsort(base, *n_base, sizeof(*base), compare_sizes);
    return FT_OK;
}

static size_t all_forms(const size_t *base, size_t n_base, struct product *out)
{
    size_t n = 0;
    for (size_t i = 0; i < n_base; i++)
        for (size_t j = i + 1; j < n_base; j++) {
            out[n++] = (struct product){PRODUCT_TIMES, base[i], base[j]};
            out[n++] = (struct product){PRODUCT_OVER, base[i], base[j]};
            out[n++] = (struct product){PRODUCT_OVER, base[j], base[i]};
            out[n++] = (struct product){PRODUCT_MINUS, base[i], base[j]};
        }
    return n;
}

static enum ft_status search(const struct matrix *x, const double *y, const double *weight,
                             const struct gbdt_params *params, struct pool *pool,
                             struct products *p, struct ft_err *err)
{
    enum { MAX_FORMS = 4 * PRODUCTS_MAX_BASE * (PRODUCTS_MAX_BASE - 1) / 2 };
    struct rows r = {.x = *x, .every = x->n_rows / PRODUCTS_SEARCH_ROWS + 1};
    const size_t n = (x->n_rows + r.every - 1) / r.every;
    size_t base[PRODUCTS_MAX_BASE];
    size_t kept[PRODUCTS_MAX_KEPT];
    size_t n_base = 0;
    struct product *forms = calloc(MAX_FORMS, sizeof(*forms));
    double *gain = calloc(x->n_cols + MAX_FORMS, sizeof(*gain));
    r.y = calloc(n + 1, sizeof(*r.y));
    r.weight = weight != NULL ? calloc(n + 1, sizeof(*r.weight)) : NULL;
    enum ft_status st = FT_OK;
    if (forms == NULL || gain == NULL || r.y == NULL || (weight != NULL && r.weight == NULL)) {
        st = no_memory(err);
        goto out;
    }
    for (size_t i = 0; i < n; i++) {
        r.y[i] = y[i * r.every];
        if (weight != NULL)
            r.weight[i] = weight[i * r.every];
    }
    st = choose_base(&r, params, pool, gain, base, &n_base, err);
    const size_t n_forms = st == FT_OK ? all_forms(base, n_base, forms) : 0;
    if (n_forms > 0)
        st = quick_gains(&r, forms, n_forms, params, pool, gain, err);
    if (st == FT_OK && n_forms > 0)
        p->n_forms = greatest(gain, x->n_cols, x->n_cols + n_forms, PRODUCTS_MAX_KEPT, kept);
    for (size_t f = 0; f < p->n_forms; f++)
        p->forms[f] = forms[kept[f] - x->n_cols];
out:
    free(forms);
    free(gain);
    free(r.y);
    free(r.weight);
    return st;
}

static enum ft_status fit_members(const struct matrix *x, const double *y, const double *weight,
                                  const struct gbdt_params *params, struct pool *pool,
                                  struct products *p, struct ft_err *err)
{
    struct gbdt_params own = *params;
    enum ft_status st = FT_OK;
    own.row_sample = fmin(params->row_sample, member_row_sample);
    own.lambda = fmax(params->lambda, member_lambda);
    own.rate = params->rate * member_rate;
    own.max_leaves = params->max_leaves < MEMBER_LEAVES ? params->max_leaves : MEMBER_LEAVES;
    for (size_t m = 0; m < PRODUCTS_N_MEMBERS && st == FT_OK; m++) {
        own.seed = rng_u64(params->seed, STREAM_MEMBERS, m);
        st = gbdt_fit(x, y, weight, &own, pool, &p->members[m], err);
    }
    return st;
}

enum ft_status products_fit(const struct matrix *x, const double *y, const double *weight,
                            const struct gbdt_params *params, struct pool *pool,
                            struct products **out, struct ft_err *err)
{
    *out = NULL;
    struct products *p = calloc(1, sizeof(*p));
    double *wide = NULL;
    enum ft_status st = p == NULL ? no_memory(err) : gbdt_params_check(params, err);
    if (st == FT_OK) {
        p->n_cols = x->n_cols;
        st = search(x, y, weight, params, pool, p, err);
    }
    if (st == FT_OK) {
        const size_t width = x->n_cols + p->n_forms;
        wide = calloc(x->n_rows * width + 1, sizeof(*wide));
        const struct matrix w = {
            .data = wide, .n_rows = x->n_rows, .n_cols = width, .stride = width};
        if (wide == NULL) {
            st = no_memory(err);
        } else {
            widen(x, 0, 1, x->n_rows, p->forms, p->n_forms, wide);
            st = fit_members(&w, y, weight, params, pool, p, err);
        }
    }
    free(wide);
    if (st != FT_OK) {
        products_free(p);
        return st;
    }
    *out = p;
    return FT_OK;
}

/* --- answers --- */

void products_predict(const struct products *p, const struct matrix *x, double *out)
{
    const size_t width = p->n_cols + p->n_forms;
    double *wide = calloc(BLOCK_ROWS * (width + 1) + 1, sizeof(*wide));
    for (size_t i = 0; i < x->n_rows; i += BLOCK_ROWS) {
        const size_t n = x->n_rows - i < BLOCK_ROWS ? x->n_rows - i : BLOCK_ROWS;
        const struct matrix w = {.data = wide, .n_rows = n, .n_cols = width, .stride = width};
        if (wide != NULL) {
            widen(x, i, 1, n, p->forms, p->n_forms, wide);
        }
        for (size_t k = 0; k < n; k++)
            out[i + k] = wide != NULL ? 0 : NAN; /* memory is gone: no answer, not a wrong one */
        for (size_t m = 0; m < PRODUCTS_N_MEMBERS && wide != NULL; m++) {
            double *raw = wide + BLOCK_ROWS * width;
            gbdt_predict(p->members[m], &w, raw);
            for (size_t k = 0; k < n; k++)
                out[i + k] += raw[k] / PRODUCTS_N_MEMBERS;
        }
    }
    free(wide);
}

enum ft_status products_contributions(const struct products *p, const double *row, double *out,
                                      struct ft_err *err)
{
    const size_t width = p->n_cols + p->n_forms;
    const struct matrix x = {.data = row, .n_rows = 1, .n_cols = p->n_cols, .stride = p->n_cols};
    double *wide = calloc(2 * width + 1, sizeof(*wide));
    enum ft_status st = FT_OK;
    if (wide == NULL)
        return no_memory(err);
    double *parts = wide + width;
    widen(&x, 0, 1, 1, p->forms, p->n_forms, wide);
    memset(out, 0, (p->n_cols + 1) * sizeof(*out));
    for (size_t m = 0; m < PRODUCTS_N_MEMBERS && st == FT_OK; m++) {
        st = gbdt_contributions(p->members[m], wide, parts, err);
        for (size_t j = 0; j < p->n_cols && st == FT_OK; j++)
            out[j] += parts[j] / PRODUCTS_N_MEMBERS;
        for (size_t f = 0; f < p->n_forms && st == FT_OK; f++) {
            const double half = 0.5 * parts[p->n_cols + f] / PRODUCTS_N_MEMBERS;
            out[p->forms[f].a] += half;
            out[p->forms[f].b] += half;
        }
        if (st == FT_OK)
            out[p->n_cols] += parts[width] / PRODUCTS_N_MEMBERS;
    }
    free(wide);
    return st;
}

size_t products_n_cols(const struct products *p)
{
    return p->n_cols;
}

const struct gbdt *products_trees(const struct products *p)
{
    return p->members[0];
}

const struct gbdt *products_member(const struct products *p, size_t k)
{
    return p->members[k];
}

const struct product *products_forms(const struct products *p, size_t *n)
{
    *n = p->n_forms;
    return p->forms;
}

/* --- text --- */

static const char *const form_words[PRODUCT_N_FORMS] = {"times", "over", "minus"};

void products_write(const struct products *p, struct buf *out)
{
    text_put_size(out, "columns", p->n_cols);
    text_put_size(out, "forms", p->n_forms);
    for (size_t f = 0; f < p->n_forms; f++) {
        text_put_word(out, "form", form_words[p->forms[f].form]);
        text_put_size(out, "a", p->forms[f].a);
        text_put_size(out, "b", p->forms[f].b);
    }
    for (size_t m = 0; m < PRODUCTS_N_MEMBERS; m++) {
        struct buf body;
        buf_init(&body, MAX_BODY);
        gbdt_write(p->members[m], &body);
        text_put_size(out, "member", body.status == FT_OK ? body.len : 0);
        buf_put(out, body.data, body.status == FT_OK ? body.len : 0);
        buf_free(&body);
    }
}

static enum ft_status read_form(struct text_reader *r, size_t n_cols, struct product *out,
                                struct ft_err *err)
{
    size_t form = 0;
    enum ft_status st = text_get_word(r, "form", form_words, PRODUCT_N_FORMS, &form, err);
    out->form = (enum product_form)form;
    if (st == FT_OK)
        st = text_get_size(r, "a", n_cols - 1, &out->a, err);
    if (st == FT_OK)
        st = text_get_size(r, "b", n_cols - 1, &out->b, err);
    return st;
}

static enum ft_status read_member(struct text_reader *r, struct products *p, size_t m,
                                  struct ft_err *err)
{
    size_t len = 0;
    enum ft_status st = text_get_size(r, "member", MAX_BODY, &len, err);
    if (st == FT_OK && len > (size_t)(r->end - r->at))
        st = ft_fail(err, FT_INVALID, "products of columns: a member is cut off");
    if (st == FT_OK)
        st = gbdt_read(r->at, len, &p->members[m], err);
    if (st != FT_OK)
        return st;
    for (size_t i = 0; i < len; i++)
        r->line += r->at[i] == '\n';
    r->at += len;
    if (gbdt_n_cols(p->members[m]) != p->n_cols + p->n_forms ||
        gbdt_objective_of(p->members[m]) != gbdt_objective_of(p->members[0]))
        return ft_fail(err, FT_INVALID, "products of columns: members differ");
    return FT_OK;
}

enum ft_status products_read(const char *text, size_t len, struct products **out,
                             struct ft_err *err)
{
    struct text_reader r;
    *out = NULL;
    struct products *p = calloc(1, sizeof(*p));
    if (p == NULL)
        return no_memory(err);
    text_reader_init(&r, text, len, "products of columns");
    enum ft_status st = text_get_size(&r, "columns", MAX_COLS, &p->n_cols, err);
    if (st == FT_OK)
        st = text_get_size(&r, "forms", PRODUCTS_MAX_KEPT, &p->n_forms, err);
    if (st == FT_OK && p->n_cols == 0)
        st = ft_fail(err, FT_INVALID, "products of columns: no column");
    for (size_t f = 0; f < p->n_forms && st == FT_OK; f++)
        st = read_form(&r, p->n_cols, &p->forms[f], err);
    for (size_t m = 0; m < PRODUCTS_N_MEMBERS && st == FT_OK; m++)
        st = read_member(&r, p, m, err);
    if (st == FT_OK)
        st = text_get_end(&r, err);
    if (st != FT_OK) {
        products_free(p);
        return st;
    }
    *out = p;
    return FT_OK;
}
