#include "models/calibrate.h"

#include "models/optim.h"
#include "models/text_io.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

enum { MAX_KNOTS = 10000000, MAX_STEPS = 100 };

struct calibration {
    enum calibration_kind kind;
    /* Platt: log-odds = a score + b. Beta: a log s - b log(1 - s) + c. Slopes >= 0. */
    double a, b, c;
    size_t n;             /* isotonic: knots */
    double *score, *prob; /* [n]; score rises, prob does not fall and stays inside (0, 1) */
};

static double sigmoid(double v)
{
    return v >= 0 ? 1 / (1 + exp(-v)) : exp(v) / (1 + exp(v));
}

static double log1p_exp(double v)
{
    return v > 0 ? v + log1p(exp(-v)) : log1p(exp(v));
}

static double weight_at(const double *weight, size_t i)
{
    return weight != NULL ? weight[i] : 1;
}

static enum ft_status check_cases(const double *score, const double *y, const double *weight,
                                  size_t n, double count[2], struct ft_err *err)
{
    count[0] = count[1] = 0;
    for (size_t i = 0; i < n; i++) {
        const double w = weight_at(weight, i);
        if (!isfinite(score[i]))
            return ft_fail(err, FT_INVALID, "calibration, row %zu: the score is not finite", i + 1);
        if (y[i] != 0 && y[i] != 1)
            return ft_fail(err, FT_INVALID, "calibration, row %zu: label %g, expected 0 or 1",
                           i + 1, y[i]);
        if (!(w >= 0) || !isfinite(w))
            return ft_fail(err, FT_INVALID, "calibration, row %zu: weight %g, expected >= 0", i + 1,
                           w);
        count[y[i] == 1] += w;
    }
    if (!(count[0] > 0) || !(count[1] > 0))
        return ft_fail(err, FT_TOO_FEW,
                       "calibration needs both outcomes; %zu rows have only one of them", n);
    return FT_OK;
}

/* --- Platt ------------------------------------------------------------------------------------ */

struct platt {
    const double *score, *y, *weight;
    size_t n;
    double target[2];      /* smoothed targets of y = 0 and 1 */
    double centre, spread; /* of the scores; the search works on (score - centre) / spread */
};

/* Cross-entropy at (a, b); g and the hessian h = (aa, ab, bb) when wanted. */
static double platt_loss(const struct platt *p, double a, double b, double g[2], double h[3])
{
    double sum = 0;
    g[0] = g[1] = h[0] = h[1] = h[2] = 0;
    for (size_t i = 0; i < p->n; i++) {
        const double w = weight_at(p->weight, i);
        const double x = (p->score[i] - p->centre) / p->spread;
        const double f = a * x + b, t = p->target[p->y[i] == 1];
        const double q = sigmoid(f), v = w * q * sigmoid(-f);
        sum += w * (log1p_exp(f) - t * f);
        g[0] += w * (q - t) * x;
        g[1] += w * (q - t);
        h[0] += v * x * x;
        h[1] += v * x;
        h[2] += v;
    }
    return sum;
}

/* Newton with step halving (Lin, Lin and Weng 2007, algorithm 1). */
static void platt_search(const struct platt *p, double *a, double *b)
{
    double g[2], h[3], unused_g[2], unused_h[3];
    double value = platt_loss(p, *a, *b, g, h);
    for (int step = 0; step < MAX_STEPS; step++) {
        const double total = h[2] + 1e-12;
        const double aa = h[0] + 1e-12, det = aa * total - h[1] * h[1];
        const double da = -(total * g[0] - h[1] * g[1]) / det;
        const double db = -(aa * g[1] - h[1] * g[0]) / det;
        double scale = 1;
        while (scale > 1e-10 &&
               !(platt_loss(p, *a + scale * da, *b + scale * db, unused_g, unused_h) <
                 value + 1e-4 * scale * (g[0] * da + g[1] * db)))
            scale /= 2;
        if (scale <= 1e-10)
            return; /* at the rounding of the loss */
        *a += scale * da;
        *b += scale * db;
        value = platt_loss(p, *a, *b, g, h);
    }
}

static void fit_platt(struct calibration *c, const double *score, const double *y,
                      const double *weight, size_t n, const double count[2])
{
    struct platt p = {.score = score, .y = y, .weight = weight, .n = n};
    const double total = count[0] + count[1];
    p.target[0] = 1 / (count[0] + 2);
    p.target[1] = (count[1] + 1) / (count[1] + 2);
    for (size_t i = 0; i < n; i++)
        p.centre += weight_at(weight, i) * score[i] / total;
    for (size_t i = 0; i < n; i++)
        p.spread += weight_at(weight, i) * (score[i] - p.centre) * (score[i] - p.centre) / total;
    p.spread = p.spread > 0 ? sqrt(p.spread) : 1;
    const double mean = (count[0] * p.target[0] + count[1] * p.target[1]) / total;
    double a = 0, b = log(mean / (1 - mean));
    const double flat = b;
    platt_search(&p, &a, &b);
    /* Scores that point the wrong way are not turned round: the map would not be monotone. */
    if (a < 0) {
        a = 0;
        b = flat;
    }
    c->a = a / p.spread;
    c->b = b - a * p.centre / p.spread;
}

/* --- beta ------------------------------------------------------------------------------------- */

struct beta {
    const double *score, *y, *weight;
    size_t n;
    double target[2];
    size_t n_used; /* unknowns: used slopes, then c */
    int used[2];   /* which of log s and -log(1 - s) */
};

static void beta_inputs(const struct beta *p, double score, double input[3])
{
    const double both[2] = {-log1p_exp(-score), log1p_exp(score)};
    for (size_t k = 0; k + 1 < p->n_used; k++)
        input[k] = both[p->used[k]];
    input[p->n_used - 1] = 1;
}

/* For optim_newton(). */
static double beta_loss(void *ctx, const double *at, double *gradient, double *hessian)
{
    const struct beta *p = ctx;
    double sum = 0;
    for (size_t i = 0; i < p->n; i++) {
        double input[3], f = 0;
        const double w = weight_at(p->weight, i), t = p->target[p->y[i] == 1];
        beta_inputs(p, p->score[i], input);
        for (size_t k = 0; k < p->n_used; k++)
            f += at[k] * input[k];
        sum += w * (log1p_exp(f) - t * f);
        if (gradient == NULL)
            continue;
        const double q = sigmoid(f), v = w * q * sigmoid(-f);
        for (size_t k = 0; k < p->n_used; k++) {
            gradient[k] += w * (q - t) * input[k];
            for (size_t l = 0; l <= k; l++)
                hessian[k * p->n_used + l] += v * input[k] * input[l];
        }
    }
    return sum;
}

/* Fits with the slopes in p->used; false when the inputs tell no slope apart. */
static bool beta_search(struct beta *p, double total, double at[3])
{
    double factor[9];
    struct optim_result result;
    const struct optim_problem problem = {.n = p->n_used,
                                          .evaluate = beta_loss,
                                          .ctx = p,
                                          .scale = total,
                                          .pivot_tolerance = 1e-12,
                                          .is_convex = true};
    at[0] = at[1] = at[2] = 0;
    return optim_newton(&problem, at, factor, &result, NULL) == FT_OK;
}

/* Both slopes; a negative one is dropped, the other fitted again, as the paper does. */
static void fit_beta(struct calibration *c, const double *score, const double *y,
                     const double *weight, size_t n, const double count[2])
{
    const double total = count[0] + count[1];
    struct beta p = {.score = score, .y = y, .weight = weight, .n = n, .n_used = 3, .used = {0, 1}};
    double at[3];
    p.target[0] = 1 / (count[0] + 2);
    p.target[1] = (count[1] + 1) / (count[1] + 2);
    const double mean = (count[0] * p.target[0] + count[1] * p.target[1]) / total;
    if (beta_search(&p, total, at) && at[0] >= 0 && at[1] >= 0) {
        c->a = at[0];
        c->b = at[1];
        c->c = at[2];
        return;
    }
    p.n_used = 2;
    p.used[0] = at[0] < at[1]; /* the greater one stays */
    if (beta_search(&p, total, at) && at[0] >= 0) {
        *(p.used[0] == 0 ? &c->a : &c->b) = at[0];
        c->c = at[1];
        return;
    }
    c->a = c->b = 0;
    c->c = log(mean / (1 - mean));
}

/* --- isotonic --------------------------------------------------------------------------------- */

struct block {
    double weight, hits, score; /* sums of weight, weight * y, weight * score */
};

struct scored {
    double score, y, weight;
    size_t i;
};

static int by_score(const void *a, const void *b)
{
    const struct scored *p = a;
    const struct scored *q = b;
    if (p->score != q->score)
        return p->score < q->score ? -1 : 1;
    return p->i < q->i ? -1 : 1;
}

/* Pools neighbours in place until the rates rise strictly; returns the number of blocks. */
static size_t pool_adjacent(struct block *blocks, size_t n)
{
    size_t top = 0;
    for (size_t i = 0; i < n; i++) {
        struct block b = blocks[i];
        while (top > 0 && blocks[top - 1].hits * b.weight >= b.hits * blocks[top - 1].weight) {
            top--;
            b.weight += blocks[top].weight;
            b.hits += blocks[top].hits;
            b.score += blocks[top].score;
        }
        blocks[top++] = b;
    }
    return top;
}

static enum ft_status fit_isotonic(struct calibration *c, const double *score, const double *y,
                                   const double *weight, size_t n, struct ft_err *err)
{
    enum ft_status st = FT_OK;
    size_t n_blocks = 0, n_rows = 0;
    struct scored *rows = calloc(n, sizeof(*rows));
    struct block *blocks = calloc(n, sizeof(*blocks));
    if (rows == NULL || blocks == NULL) {
        st = ft_fail(err, FT_NOMEM, "calibration: no memory for %zu rows", n);
        goto out;
    }
    for (size_t i = 0; i < n; i++)
        if (weight_at(weight, i) > 0)
            rows[n_rows++] = (struct scored){score[i], y[i], weight_at(weight, i), i};
    qsort(rows, n_rows, sizeof(*rows), by_score);
    for (size_t i = 0; i < n_rows; i++) {
        if (i == 0 || rows[i].score != rows[i - 1].score)
            blocks[n_blocks++] = (struct block){0, 0, 0};
        struct block *b = &blocks[n_blocks - 1];
        b->weight += rows[i].weight;
        b->hits += rows[i].weight * rows[i].y;
        b->score += rows[i].weight * rows[i].score;
    }
    n_blocks = pool_adjacent(blocks, n_blocks);
    /* Half a case that says otherwise at each end, then pool again: a rise may be undone. */
    blocks[0].score += 0.5 * blocks[0].score / blocks[0].weight;
    blocks[0].weight += 0.5;
    blocks[0].hits += 0.5;
    struct block *last = &blocks[n_blocks - 1];
    last->score += 0.5 * last->score / last->weight;
    last->weight += 0.5;
    n_blocks = pool_adjacent(blocks, n_blocks);
    c->score = calloc(n_blocks + 1, sizeof(double));
    c->prob = calloc(n_blocks + 1, sizeof(double));
    if (c->score == NULL || c->prob == NULL) {
        st = ft_fail(err, FT_NOMEM, "calibration: no memory for %zu blocks", n_blocks);
        goto out;
    }
    for (size_t i = 0; i < n_blocks; i++) {
        const double centre = blocks[i].score / blocks[i].weight;
        if (c->n > 0 && !(centre > c->score[c->n - 1]))
            continue; /* neighbours in the last bit: rounding made their centres one */
        c->score[c->n] = centre;
        c->prob[c->n++] = blocks[i].hits / blocks[i].weight;
    }
out:
    free(rows);
    free(blocks);
    return st;
}

enum ft_status calibration_fit(enum calibration_kind kind, const double *score, const double *y,
                               const double *weight, size_t n, struct calibration **out,
                               struct ft_err *err)
{
    double count[2];
    *out = NULL;
    enum ft_status st = check_cases(score, y, weight, n, count, err);
    if (st != FT_OK)
        return st;
    struct calibration *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for a calibration");
    c->kind = kind;
    if (kind == CALIBRATION_PLATT)
        fit_platt(c, score, y, weight, n, count);
    else if (kind == CALIBRATION_BETA)
        fit_beta(c, score, y, weight, n, count);
    else if (kind == CALIBRATION_ISOTONIC)
        st = fit_isotonic(c, score, y, weight, n, err);
    if (st != FT_OK) {
        calibration_free(c);
        return st;
    }
    *out = c;
    return FT_OK;
}

/* First index with at[index] > v, in n rising values. */
static size_t first_above(const double *at, size_t n, double v)
{
    size_t low = 0, high = n;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (at[middle] > v)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* A slope of 0 stays 0 at infinite inputs. */
static double scaled(double slope, double input)
{
    return slope > 0 ? slope * input : 0;
}

double calibration_apply(const struct calibration *c, double score)
{
    if (isnan(score))
        return NAN;
    if (c->kind == CALIBRATION_NONE)
        return sigmoid(score);
    if (c->kind == CALIBRATION_PLATT)
        return sigmoid(c->a > 0 ? c->a * score + c->b : c->b);
    if (c->kind == CALIBRATION_BETA)
        return sigmoid(scaled(c->a, -log1p_exp(-score)) + scaled(c->b, log1p_exp(score)) + c->c);
    const size_t k = first_above(c->score, c->n, score);
    if (k == 0 || k == c->n)
        return c->prob[k == 0 ? 0 : c->n - 1];
    const double share = (score - c->score[k - 1]) / (c->score[k] - c->score[k - 1]);
    return c->prob[k - 1] + share * (c->prob[k] - c->prob[k - 1]);
}

static const char *const kind_words[] = {[CALIBRATION_NONE] = "none",
                                         [CALIBRATION_PLATT] = "platt",
                                         [CALIBRATION_ISOTONIC] = "isotonic",
                                         [CALIBRATION_BETA] = "beta"};

void calibration_write(const struct calibration *c, struct buf *out)
{
    text_put_word(out, "calibration", kind_words[c->kind]);
    if (c->kind == CALIBRATION_PLATT || c->kind == CALIBRATION_BETA) {
        text_put_number(out, "a", c->a);
        text_put_number(out, "b", c->b);
        if (c->kind == CALIBRATION_BETA)
            text_put_number(out, "c", c->c);
    } else if (c->kind == CALIBRATION_ISOTONIC) {
        text_put_size(out, "n", c->n);
        text_put_array(out, "score", c->score, c->n);
        text_put_array(out, "probability", c->prob, c->n);
    }
}

static enum ft_status read_isotonic(struct calibration *c, struct text_reader *r,
                                    struct ft_err *err)
{
    enum ft_status st = text_get_size(r, "n", MAX_KNOTS, &c->n, err);
    if (st == FT_OK)
        st = text_get_array(r, "score", c->n, 0, &c->score, err);
    if (st == FT_OK)
        st = text_get_array(r, "probability", c->n, 0, &c->prob, err);
    if (st != FT_OK)
        return st;
    if (c->n == 0)
        return ft_fail(err, FT_INVALID, "calibration: no blocks");
    for (size_t i = 0; i < c->n; i++) {
        const bool rises =
            i == 0 || (c->score[i] > c->score[i - 1] && c->prob[i] >= c->prob[i - 1]);
        if (!rises || !(c->prob[i] > 0) || !(c->prob[i] < 1))
            return ft_fail(err, FT_INVALID,
                           "calibration, block %zu: expected rising probabilities "
                           "inside (0, 1)",
                           i + 1);
    }
    return FT_OK;
}

static enum ft_status read_slopes(struct calibration *c, struct text_reader *r, struct ft_err *err)
{
    enum ft_status st = text_get_number(r, "a", 0, &c->a, err);
    if (st == FT_OK)
        st = text_get_number(r, "b", 0, &c->b, err);
    if (st == FT_OK && c->kind == CALIBRATION_BETA)
        st = text_get_number(r, "c", 0, &c->c, err);
    if (st == FT_OK && (!(c->a >= 0) || (c->kind == CALIBRATION_BETA && !(c->b >= 0))))
        st = ft_fail(err, FT_INVALID, "calibration: slopes %g, %g, expected >= 0", c->a, c->b);
    return st;
}

enum ft_status calibration_read(const char *text, size_t len, struct calibration **out,
                                struct ft_err *err)
{
    struct text_reader r;
    size_t kind = 0;
    *out = NULL;
    struct calibration *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for a calibration");
    text_reader_init(&r, text, len, "calibration");
    enum ft_status st = text_get_word(&r, "calibration", kind_words, 4, &kind, err);
    c->kind = (enum calibration_kind)kind;
    if (st == FT_OK && (c->kind == CALIBRATION_PLATT || c->kind == CALIBRATION_BETA))
        st = read_slopes(c, &r, err);
    if (st == FT_OK && c->kind == CALIBRATION_ISOTONIC)
        st = read_isotonic(c, &r, err);
    if (st == FT_OK)
        st = text_get_end(&r, err);
    if (st != FT_OK) {
        calibration_free(c);
        return st;
    }
    *out = c;
    return FT_OK;
}

void calibration_free(struct calibration *c)
{
    if (c == NULL)
        return;
    free(c->score);
    free(c->prob);
    free(c);
}
