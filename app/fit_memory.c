/* How much memory a fit takes, from above, before it starts. Bytes are counted where they are
 * allocated: the table, the codes of all folds (validate_models.c), out-of-fold predictions, and
 * per running job what its learner needs. Fewer jobs at once need less, idle threads then help
 * inside the jobs, so a small limit costs time before it costs the fit. */
#include "app/fit_private.h"
#include "app/fit_study.h"
#include "models/gbdt/bin.h"
#include "models/gbdt/gbdt.h"
#include "models/products.h"

#include <stdint.h>

static const size_t MIB = (size_t)1 << 20;
static const size_t PROGRAM_BYTES = (size_t)32 << 20;    /* code, libraries, stacks of the pool */
static const size_t READING_BYTES = (size_t)40 << 20;    /* two slabs of a CSV file */
static const size_t HISTOGRAM_BYTES = (size_t)256 << 20; /* most that a grower keeps */

/* Of a row of the tables of trees: rows and packed gradients on two sides, score, gradient and
 * hessian (grow.h, gbdt.c), labels and weights of a fold or with those of the positives. */
enum { TREE_ROW_BYTES = 24 + 24, LABEL_BYTES = 3 * 8 + 1, RENEWED_BYTES = 16, EDGE_MIB = 24 };

/* Codes by row and by column. */
static size_t code_bytes(size_t n_rows, size_t n_cols)
{
    return n_rows * (bins_row_bytes(n_cols) + n_cols);
}

/* What a fit keeps of n_leaves, of a spare place and of the other threads' shares. */
static size_t histogram_bytes(const struct model_spec *spec, size_t n_cols, size_t n_threads)
{
    const size_t one = (n_cols + TILE - 1) / TILE * TILE * EDGE_PLACES * sizeof(uint64_t);
    const size_t kept = spec->max_leaves * one;
    return (kept < HISTOGRAM_BYTES ? kept : HISTOGRAM_BYTES) + n_threads * one;
}

static size_t tree_bytes(const struct model_spec *spec, size_t n_rows, size_t n_cols,
                         size_t n_threads)
{
    const bool renews = spec->objective == GBDT_ABSOLUTE || spec->objective == GBDT_QUANTILE;
    const size_t sampled = spec->col_sample < 1 ? n_rows * bins_row_bytes(n_cols) : 0;
    const size_t nodes = spec->n_trees * spec->max_leaves * 2 * 64;
    return n_rows * (TREE_ROW_BYTES + LABEL_BYTES + (renews ? RENEWED_BYTES : 0)) + sampled +
           histogram_bytes(spec, n_cols, n_threads) + nodes;
}

/* Trees on a copy of the rows with more columns beside them. */
static size_t wide_bytes(const struct model_spec *spec, size_t n_rows, size_t n_cols,
                         size_t n_threads)
{
    return n_rows * n_cols * sizeof(double) + code_bytes(n_rows, n_cols) +
           tree_bytes(spec, n_rows, n_cols, n_threads) + code_bytes(n_rows, n_cols);
}

static size_t product_bytes(const struct model_spec *spec, size_t n_rows, size_t n_cols,
                            size_t n_threads)
{
    const size_t forms = 2 * PRODUCTS_MAX_BASE * (PRODUCTS_MAX_BASE - 1);
    const size_t sample = n_rows < PRODUCTS_SEARCH_ROWS ? n_rows : PRODUCTS_SEARCH_ROWS;
    const size_t search = wide_bytes(spec, sample, n_cols + forms, n_threads);
    const size_t members = wide_bytes(spec, n_rows, n_cols + PRODUCTS_MAX_KEPT, n_threads) +
                           PRODUCTS_N_MEMBERS * spec->n_trees * spec->max_leaves * 128;
    return search > members ? search : members;
}

/* A fit of one candidate. Trees that share codes need no copy of the rows but those they stop early
 * on, a tenth or a group more. */
static size_t job_bytes(const struct model_spec *spec, size_t n_rows, size_t n_cols,
                        size_t n_threads, bool is_fold)
{
    const size_t copy = is_fold ? n_rows * n_cols * sizeof(double) : 0;
    const size_t stop = spec->patience > 0 ? copy / 2 : 0;
    if (spec->kind == MODEL_GBDT)
        return tree_bytes(spec, n_rows, n_cols, n_threads) +
               (is_fold ? stop : code_bytes(n_rows, n_cols));
    if (spec->kind == MODEL_GBDT_SURVIVAL)
        return copy + tree_bytes(spec, n_rows, n_cols, n_threads) + code_bytes(n_rows, n_cols) +
               n_rows * spec->n_intervals * (n_cols + 8);
    if (spec->kind == MODEL_GBDT_PRODUCTS)
        return copy + product_bytes(spec, n_rows, n_cols, n_threads);
    return copy + 3 * n_rows * n_cols * sizeof(double) + n_rows * 64; /* a standardised copy */
}

/* A fitted model that is kept until the candidate is chosen. */
static size_t kept_bytes(const struct model_spec *spec, size_t n_rows, size_t n_cols)
{
    const size_t nodes = spec->n_trees * spec->max_leaves * 2 * 64;
    if (spec->kind == MODEL_GBDT_PRODUCTS)
        return PRODUCTS_N_MEMBERS * nodes;
    if (model_kind_is_trees(spec->kind))
        return nodes + n_rows * 2 * sizeof(double);
    return n_rows * 2 * sizeof(double) + n_cols * 128; /* Cox: a baseline */
}

struct need {
    size_t table, folds, prepare, job, final;
};

static size_t total(const struct need *n, size_t n_at_once)
{
    size_t phase = READING_BYTES;
    const size_t prepare = n->folds + n_at_once * n->prepare;
    const size_t jobs = n->folds + n_at_once * n->job;
    phase = prepare > phase ? prepare : phase;
    phase = jobs > phase ? jobs : phase;
    phase = n->final > phase ? n->final : phase;
    return PROGRAM_BYTES + n->table + phase;
}

static size_t count_bin_sizes(const struct fit_outcome *o)
{
    size_t n = 0;
    for (size_t i = 0; i < o->specs.n; i++) {
        const struct model_spec *a = &o->specs.items[i];
        bool is_new = a->kind == MODEL_GBDT;
        for (size_t k = 0; k < i && is_new; k++) {
            const struct model_spec *b = &o->specs.items[k];
            is_new = b->kind != MODEL_GBDT || b->n_bins != a->n_bins ||
                     (b->patience > 0) != (a->patience > 0);
        }
        n += is_new;
    }
    return n;
}

static struct need count(const struct fit_request *q, const struct fit_outcome *o, size_t n_rows,
                         size_t n_cols, size_t n_threads)
{
    const size_t value = o->table.x.data32 != NULL ? sizeof(float) : sizeof(double);
    struct need n = {.table = n_rows * (n_cols * value + 5 * sizeof(double))};
    const size_t k = q->n_folds;
    const size_t n_train = k >= 2 ? n_rows - n_rows / k : n_rows;
    for (size_t i = 0; i < o->specs.n; i++) {
        const size_t job = job_bytes(&o->specs.items[i], n_train, n_cols, n_threads, true);
        const size_t final = job_bytes(&o->specs.items[i], n_rows, n_cols, n_threads, false);
        n.job = job > n.job ? job : n.job;
        n.final = final > n.final ? final : n.final;
    }
    if (k < 2) {
        n.job = 0;
        return n;
    }
    n.folds = k * count_bin_sizes(o) * code_bytes(n_train, n_cols) +
              n_rows * (o->specs.n + 2) * sizeof(double) + 2 * k * n_rows * sizeof(uint32_t);
    for (size_t i = 0; i < o->specs.n && fit_study_keeps(q, o->task); i++)
        n.folds += k * kept_bytes(&o->specs.items[i], n_train, n_cols);
    n.table += n_rows * (o->task == TASK_SURVIVAL ? 26 : 15) * sizeof(double); /* fit_study.c */
    n.prepare = count_bin_sizes(o) > 0 ? n_train * n_cols * value + EDGE_MIB * MIB : 0;
    if (q->is_nested)
        n.table += n_train * (n_cols * value + 4 * sizeof(double));
    return n;
}

enum ft_status fit_plan_memory(const struct fit_request *q, struct fit_outcome *o, size_t n_rows,
                               size_t n_cols, size_t n_threads, size_t *n_at_once,
                               struct ft_err *err)
{
    const struct need n = count(q, o, n_rows, n_cols, n_threads);
    const size_t n_jobs = q->n_folds >= 2 ? o->specs.n * q->n_folds : 1;
    size_t most = n_threads < n_jobs ? n_threads : n_jobs;
    *n_at_once = 0;
    o->memory_bytes = total(&n, most);
    if (q->memory_bytes == 0)
        return FT_OK;
    while (most > 1 && total(&n, most) > q->memory_bytes)
        most--;
    o->memory_bytes = total(&n, most);
    *n_at_once = most;
    if (o->memory_bytes <= q->memory_bytes)
        return FT_OK;
    return ft_fail(err, FT_CONFLICT,
                   "--memory %zu MiB is too little for %zu rows x %zu columns: %zuMiB would "
                   "suffice",
                   q->memory_bytes / MIB, n_rows, n_cols, o->memory_bytes / MIB + 1);
}
