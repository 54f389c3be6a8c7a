/* fettle life: what a list of ages at failure says, and whether to replace by age. */
#include "app/base/pool.h"
#include "app/cli/cli.h"
#include "app/cli/cli_site.h"
#include "app/cli/commands.h"
#include "app/cli/life_text.h"
#include "app/life_input.h"
#include "app/life_site.h"
#include "db/db.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct life_flags {
    struct life_columns columns;
    const char *distribution;
    struct life_request request; /* numbers go straight in */
    double shape, prior, cost_planned, cost_failure;
    int64_t n_draws, seed, n_threads;
    bool as_json, is_site;
};

/* -1, or the exit code of a usage error. */
static int check_flags(struct life_flags *f)
{
    struct ft_err err;
    struct life_request *q = &f->request;
    const bool has_planned = !isnan(f->cost_planned), has_failure = !isnan(f->cost_failure);
    if (has_planned != has_failure)
        return cli_usage_error("--cost-planned and --cost-failure go together");
    q->has_costs = has_planned;
    q->cost_planned = f->cost_planned;
    q->cost_failure = f->cost_failure;
    if (f->n_draws < 0 || f->seed < 0 || f->n_threads < 0 || f->n_threads > 1024)
        return cli_usage_error("--bootstrap, --seed, --threads: expected whole numbers >= 0");
    q->n_draws = (size_t)f->n_draws;
    q->seed = (uint64_t)f->seed;
    if ((!isnan(f->shape) && f->shape == 0) || (!isnan(f->prior) && !(f->prior > 0)))
        return cli_usage_error("--shape and --shape-prior: expected a number above 0");
    q->shape = isnan(f->shape) ? 0 : f->shape;
    q->prior.median = isnan(f->prior) ? 0 : f->prior;
    q->has_mixture = strcasecmp(f->distribution, "mixture") == 0;
    q->is_best = strcasecmp(f->distribution, "best") == 0;
    if (!q->is_best && !q->has_mixture &&
        life_parse(f->distribution, &q->distribution, &err) != FT_OK)
        return cli_usage_error("--distribution: %s, best or mixture", err.msg);
    if (life_request_check(q, &err) != FT_OK)
        return cli_usage_error("%s", err.msg);
    return -1;
}

static int print_answer(const struct life_answer *a, const struct life_table *t,
                        const struct life_flags *f)
{
    if (!f->as_json) {
        life_text_columns(t);
        life_text(a, t);
        return fflush(stdout) == 0 ? 0 : 1;
    }
    struct ft_err err;
    cJSON *out = cJSON_CreateObject();
    const int rc = life_answer_json(a, t, &f->request, out, &err) == FT_OK ? cli_print_json(out)
                                                                           : cli_fail(&err);
    cJSON_Delete(out);
    return rc;
}

static int report(const char *file, const struct life_flags *f)
{
    struct life_table table;
    struct life_answer answer;
    struct pool *pool = NULL;
    struct ft_err err;
    if (life_table_read(file, &f->columns, &table, &err) != FT_OK)
        return cli_fail(&err);
    int rc = 0;
    enum ft_status st = pool_new((size_t)f->n_threads, &pool, &err);
    if (st == FT_OK)
        st = life_answer_make(&table, &f->request, pool, &answer, &err);
    if (st == FT_OK) {
        rc = print_answer(&answer, &table, f);
        life_answer_free(&answer);
    } else {
        if (st == FT_TOO_FEW)
            (void)ft_err_prefix(&err, "%s", file);
        rc = cli_fail(&err);
        if (st == FT_TOO_FEW && table.asset.of == NULL)
            fputs("fettle: a shape known from like parts can stand in: --shape X (Weibayes)\n",
                  stderr);
    }
    pool_free(pool);
    life_table_free(&table);
    return rc;
}

/* The site's own parts and plans, from its database. */
static int report_site(const struct life_flags *f)
{
    const struct life_site_query q = {f->request.confidence, f->request.n_draws, f->request.seed};
    struct db *db = NULL;
    struct pool *pool = NULL;
    cJSON *out = NULL;
    struct ft_err err;
    enum ft_status st = pool_new((size_t)f->n_threads, &pool, &err);
    if (st == FT_OK)
        st = cli_open_site(&db, &err);
    if (st == FT_OK)
        st = life_site_json(db, &q, pool, &out, &err);
    int rc = 0;
    if (st != FT_OK) {
        rc = cli_fail(&err);
    } else if (f->as_json) {
        rc = cli_print_json(out);
    } else {
        life_text_site(out);
        rc = fflush(stdout) == 0 ? 0 : 1;
    }
    cJSON_Delete(out);
    db_close(db);
    pool_free(pool);
    return rc;
}

int cmd_life(int argc, char **argv)
{
    struct life_flags f = {.distribution = "weibull",
                           .request = life_request_default(),
                           .shape = NAN,
                           .prior = NAN,
                           .cost_planned = NAN,
                           .cost_failure = NAN};
    struct life_request *q = &f.request;
    f.n_draws = (int64_t)q->n_draws;
    f.seed = (int64_t)q->seed;
    const char *file = NULL;
    size_t n_words = 0;
    const struct cli_flag flags[] = {
        {"--time-col", CLI_STRING, &f.columns.time, "C",
         "age at failure, or when last seen; else guessed"},
        {"--event-col", CLI_STRING, &f.columns.event, "C", "failed or censored; else guessed"},
        {"--entry-col", CLI_STRING, &f.columns.entry, "C", "age when first seen (left truncation)"},
        {"--lower-col", CLI_STRING, &f.columns.lower, "C",
         "age at which it was last seen alive, of an interval"},
        {"--upper-col", CLI_STRING, &f.columns.upper, "C",
         "age at which it was found failed; empty = still running"},
        {"--mode-col", CLI_STRING, &f.columns.mode, "C",
         "failure mode: a fit and the share failed for each"},
        {"--asset-col", CLI_STRING, &f.columns.asset, "C",
         "rows are events of repairable assets, or the end of their observation"},
        {"--count-col", CLI_STRING, &f.columns.count, "C", "number of alike units of a row"},
        {"--distribution", CLI_STRING, &f.distribution, "D",
         "weibull (default), lognormal, loglogistic, exponential, gamma, gumbel, weibull3, best, "
         "or mixture (two Weibulls)"},
        {"--shape", CLI_NUMBER, &f.shape, "X", "Weibull shape given, not estimated (Weibayes)"},
        {"--shape-prior", CLI_NUMBER, &f.prior, "X",
         "median of the shape of like parts, as a prior (few failures)"},
        {"--shape-prior-sd", CLI_NUMBER, &q->prior.log_sd, "X",
         "standard deviation of the log of that shape; 0.3"},
        {"--confidence", CLI_NUMBER, &q->confidence, "X", "of the limits; 0.95"},
        {"--cost-planned", CLI_NUMBER, &f.cost_planned, "X", "of a planned replacement"},
        {"--cost-failure", CLI_NUMBER, &f.cost_failure, "X", "of a failure, all in"},
        {"--cost-renewal", CLI_NUMBER, &q->cost_renewal, "X",
         "of a renewal, when failures before it are only repaired"},
        {"--cost-repair", CLI_NUMBER, &q->cost_repair, "X", "of such a repair"},
        {"--pf", CLI_NUMBER, &q->inspection.pf, "X",
         "P-F interval: how long a failure shows before it comes"},
        {"--detection", CLI_NUMBER, &q->inspection.detection, "X",
         "probability that one look in it sees it; 1"},
        {"--wanted", CLI_NUMBER, &q->inspection.wanted, "X",
         "probability of seeing it in time that is wanted; 0.95"},
        {"--cost-look", CLI_NUMBER, &q->inspection.cost_look, "X", "of one inspection"},
        {"--units", CLI_NUMBER, &q->units, "N", "parts in service, for the stock of spares"},
        {"--lead-time", CLI_NUMBER, &q->lead_time, "X", "of a spare, in the unit of the ages"},
        {"--service-level", CLI_NUMBER, &q->service_level, "X",
         "probability that the stock lasts the lead time; 0.95"},
        {"--bootstrap", CLI_INT, &f.n_draws, "N",
         "resamples behind the limits of decisions and the p-value of the fit; 400, 0 = none"},
        {"--seed", CLI_INT, &f.seed, "N", "of the resamples; 1"},
        {"--threads", CLI_INT, &f.n_threads, "N", "0 = all cores; the answer is the same"},
        {"--plot", CLI_BOOL, &q->has_plot, NULL,
         "probability paper and joint region of the parameters, in the JSON"},
        {"--site", CLI_BOOL, &f.is_site, NULL,
         "instead of a file: the parts of this site, and the preventive work that could stop"},
        {"--json", CLI_BOOL, &f.as_json, NULL, "print JSON"},
    };
    const struct cli_usage usage = {
        .examples =
            "fettle life bearings.csv\n"
            "fettle life pumps.csv --cost-planned 800 --cost-failure 6500\n"
            "fettle life fans.csv --distribution best --json\n"
            "fettle life seals.csv --shape 2 --entry-col installed_age\n"
            "fettle life shocks.csv --mode-col mode\n"
            "fettle life valves.csv --asset-col engine --cost-renewal 9000 --cost-repair 700\n"
            "fettle life --site\n"
            "fettle life belts.csv --units 40 --lead-time 30 --service-level 0.98",
        .synopsis = "fettle life FILE.csv [--time-col C] [--event-col C] [--entry-col C]\n"
                    "            [--lower-col C --upper-col C] [--count-col C] [--mode-col C]\n"
                    "            [--distribution D|best] [--shape X] [--confidence X]\n"
                    "            [--cost-planned X --cost-failure Y] [--json]",
        .text = "One row per unit: its age at failure, or its age when last seen still running\n"
                "(censored). Fits the life distribution by maximum likelihood and, with both\n"
                "costs, says at which age to replace, or that running to failure is cheaper;\n"
                "limits of a decision come from resampled data. With --asset-col: how often\n"
                "repairable assets fail, and whether it gets worse.",
        .flags = flags,
        .n_flags = sizeof(flags) / sizeof(flags[0])};
    int code = cli_parse(&usage, argc, argv, &file, 1, &n_words);
    if (code >= 0)
        return code;
    if (n_words != (f.is_site ? 0 : 1))
        return cli_usage_error("life: expected one CSV file, or --site");
    code = check_flags(&f);
    return code >= 0 ? code : f.is_site ? report_site(&f) : report(file, &f);
}
