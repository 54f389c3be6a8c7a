/* Cox's partial likelihood with Efron's ties and left truncation (Therneau and Grambsch 2000,
 * chapter 3) as a loss of the scores f. With r_i = w_i exp(f_i), S the sum over the rows at risk at
 * a failure time and D that over its d tied failures, the loss is
 *
 *   sum over failures of -w_i f_i + sum over times of (mean weight) * sum_{l < d} log(S - D l / d)
 *
 * so the gradient of row i is r_i * (sum over the failure times at which it is at risk of
 * A = mean weight * sum_l 1 / (S - D l / d)) - w_i [failed], its own failure time counting as
 * B = mean weight * sum_l (1 - l / d) / (S - D l / d) instead. The hessian's diagonal follows with
 * the squares. A and the squares are summed up over time, so a row needs two look-ups each. */
#include "models/gbdt/objective_private.h"
#include "models/order.h"

#include <math.h>
#include <stdlib.h>

static const double MIN_EXPONENT = -600; /* exp() stays above 0 */

/* Sums over one failure time, and up to it. */
struct moment {
    double tied, tied2; /* B and its square sum */
    double to, to2;     /* sums of A up to and with this time */
};

struct cox_state {
    size_t *by_time;        /* [n] rows by falling time */
    size_t *by_entry;       /* [n] rows by falling entry, NULL without truncation */
    uint32_t *n_to;         /* [n] failure times <= the row's time */
    uint32_t *n_before;     /* [n] failure times <= the row's entry, NULL without truncation */
    double *risk;           /* [n] r, scaled by exp(-top) */
    struct moment *moments; /* [n_times + 1] by rising time; the first is all 0 */
    size_t n_times;
    double top, log_sum;
};

static bool is_failure(const struct targets *t, size_t i)
{
    return (t->labels.failed == NULL || t->labels.failed[i]) && target_weight(t, i) > 0;
}

static enum ft_status check_time(const struct targets *t, size_t i, struct ft_err *err)
{
    const double y = t->labels.y[i];
    const double entry = t->labels.entry != NULL ? t->labels.entry[i] : 0;
    if (!(y > 0) || !isfinite(y))
        return ft_fail(err, FT_INVALID, "row %zu: time %g, expected a number above 0", i, y);
    if (!(entry >= 0 && entry < y))
        return ft_fail(err, FT_INVALID, "row %zu: entry %g, expected 0 <= entry < time %g", i,
                       entry, y);
    return FT_OK;
}

/* Walks the rows by rising time and counts failure times. */
static void count_times(const struct targets *t, struct cox_state *s)
{
    const double *y = t->labels.y;
    uint32_t n = 0;
    for (size_t end = t->n_rows, begin = 0; end > 0; end = begin) {
        bool any = false;
        for (begin = end; begin > 0 && y[s->by_time[begin - 1]] == y[s->by_time[end - 1]]; begin--)
            any |= is_failure(t, s->by_time[begin - 1]);
        n += any;
        for (size_t k = begin; k < end; k++)
            s->n_to[s->by_time[k]] = n;
    }
    s->n_times = n;
}

/* n_before of each row from the row whose time is the last one <= its entry. */
static void count_before(const struct targets *t, struct cox_state *s)
{
    size_t at = t->n_rows; /* by_time[at..) have time <= entry */
    for (size_t k = t->n_rows; k-- > 0;) {
        const size_t row = s->by_entry[k];
        while (at > 0 && t->labels.y[s->by_time[at - 1]] <= t->labels.entry[row])
            at--;
        s->n_before[row] = at < t->n_rows ? s->n_to[s->by_time[at]] : 0;
    }
}

static void cox_end(struct targets *t)
{
    struct cox_state *s = t->state;
    free(s->by_time);
    free(s->by_entry);
    free(s->n_to);
    free(s->n_before);
    free(s->risk);
    free(s->moments);
}

static enum ft_status cox_start(struct targets *t, double *base, struct ft_err *err)
{
    const size_t n = t->n_rows;
    const bool is_truncated = t->labels.entry != NULL;
    struct cox_state *s = calloc(1, sizeof(*s));
    t->state = s;
    *base = 0;
    if (s == NULL)
        return ft_fail(err, FT_NOMEM, "trees: no memory for %zu rows", n);
    s->by_time = calloc(n, sizeof(*s->by_time));
    s->n_to = calloc(n, sizeof(*s->n_to));
    s->risk = calloc(n, sizeof(*s->risk));
    if (is_truncated) {
        s->by_entry = calloc(n, sizeof(*s->by_entry));
        s->n_before = calloc(n, sizeof(*s->n_before));
    }
    if (s->by_time == NULL || s->n_to == NULL || s->risk == NULL ||
        (is_truncated && (s->by_entry == NULL || s->n_before == NULL)) ||
        !order_falling(t->labels.y, n, s->by_time) ||
        (is_truncated && !order_falling(t->labels.entry, n, s->by_entry)))
        return ft_fail(err, FT_NOMEM, "trees: no memory for %zu rows", n);
    count_times(t, s);
    if (is_truncated)
        count_before(t, s);
    if (s->n_times == 0)
        return ft_fail(err, FT_TOO_FEW, "trees: no failures among %zu rows", n);
    s->moments = calloc(s->n_times + 1, sizeof(*s->moments));
    if (s->moments == NULL)
        return ft_fail(err, FT_NOMEM, "trees: no memory for %zu times", s->n_times);
    return FT_OK;
}

struct risk_job {
    const struct targets *t;
    struct cox_state *s;
    const double *score;
};

static void risk_block(void *ctx, size_t begin, size_t end)
{
    const struct risk_job *job = ctx;
    for (size_t i = begin; i < end; i++)
        job->s->risk[i] =
            target_weight(job->t, i) * exp(fmax(job->score[i] - job->s->top, MIN_EXPONENT));
}

/* The failures by_time[begin, end) of one time, sum = those at risk. */
static void moments_at(const struct targets *t, struct cox_state *s, size_t begin, size_t end,
                       double sum)
{
    double tied = 0, weight = 0;
    size_t n = 0;
    for (size_t k = begin; k < end; k++) {
        const size_t i = s->by_time[k];
        if (!is_failure(t, i))
            continue;
        tied += s->risk[i];
        weight += target_weight(t, i);
        n++;
    }
    if (n == 0)
        return;
    struct moment *m = &s->moments[s->n_to[s->by_time[begin]]];
    const double mean = weight / (double)n;
    *m = (struct moment){0};
    for (size_t l = 0; l < n; l++) {
        const double gone = (double)l / (double)n;
        const double left = 1 / (fmax(sum, tied) - gone * tied);
        m->to += mean * left;
        m->to2 += mean * left * left;
        m->tied += mean * (1 - gone) * left;
        m->tied2 += mean * (1 - gone) * (1 - gone) * left * left;
        s->log_sum += mean * (s->top - log(left));
    }
}

static void cox_prepare(const struct targets *t, const double *score, struct pool *pool)
{
    struct cox_state *s = t->state;
    struct risk_job job = {t, s, score};
    double sum = 0;
    size_t gone = 0;
    s->top = -INFINITY;
    s->log_sum = 0;
    for (size_t i = 0; i < t->n_rows; i++)
        s->top = fmax(s->top, score[i]);
    pool_run_blocks(pool, t->n_rows, OBJECTIVE_BLOCK_ROWS, risk_block, &job);
    for (size_t begin = 0, end = 0; begin < t->n_rows; begin = end) {
        const double time = t->labels.y[s->by_time[begin]];
        for (;
             s->by_entry != NULL && gone < t->n_rows && t->labels.entry[s->by_entry[gone]] >= time;
             gone++)
            sum -= s->risk[s->by_entry[gone]];
        if (gone == begin) /* nobody at risk: drop the rounding of what left */
            sum = 0;
        for (; end < t->n_rows && t->labels.y[s->by_time[end]] == time; end++)
            sum += s->risk[s->by_time[end]];
        moments_at(t, s, begin, end, sum);
    }
    for (size_t k = 1; k <= s->n_times; k++) {
        s->moments[k].to += s->moments[k - 1].to;
        s->moments[k].to2 += s->moments[k - 1].to2;
    }
}

size_t objective_cox_n_times(const struct targets *t)
{
    return ((const struct cox_state *)t->state)->n_times;
}

void objective_cox_baseline(const struct targets *t, const double *score, double *time,
                            double *cumulative, struct pool *pool)
{
    const struct cox_state *s = t->state;
    cox_prepare(t, score, pool);
    for (size_t k = 0; k < s->n_times; k++)
        cumulative[k] = s->moments[k + 1].to * exp(-s->top);
    for (size_t i = 0; i < t->n_rows; i++)
        if (is_failure(t, i))
            time[s->n_to[i] - 1] = t->labels.y[i];
}

static void cox_rows(const struct targets *t, const double *score, size_t begin, size_t end,
                     double *g, double *h)
{
    const struct cox_state *s = t->state;
    (void)score;
    for (size_t i = begin; i < end; i++) {
        const bool failed = is_failure(t, i);
        const struct moment *last = &s->moments[s->n_to[i]];
        const struct moment *first = &s->moments[s->n_before != NULL ? s->n_before[i] : 0];
        const struct moment *to = failed ? last - 1 : last;
        const double sum = to->to - first->to + (failed ? last->tied : 0);
        const double sum2 = to->to2 - first->to2 + (failed ? last->tied2 : 0);
        const double r = s->risk[i];
        g[i] = r * sum - (failed ? target_weight(t, i) : 0);
        h[i] = fmax(r * sum - r * r * sum2, OBJECTIVE_MIN_HESSIAN);
    }
}

static double cox_loss(const struct targets *t, const double *score, size_t begin, size_t end)
{
    double sum = 0;
    for (size_t i = begin; i < end; i++)
        sum -= is_failure(t, i) ? target_weight(t, i) * score[i] : 0;
    return sum;
}

static double cox_loss_rest(const struct targets *t)
{
    return ((const struct cox_state *)t->state)->log_sum;
}

const struct objective_ops objective_cox = {.check_row = check_time,
                                            .start = cox_start,
                                            .end = cox_end,
                                            .prepare = cox_prepare,
                                            .rows = cox_rows,
                                            .loss = cox_loss,
                                            .loss_rest = cox_loss_rest};
