/* fettle life: what a list of ages at failure says, and whether to replace by age. */
#include "app/cli/cli.h"
#include "app/cli/commands.h"
#include "app/life_report.h"
#include "app/life_table.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct life_flags {
    struct life_columns columns;
    const char *distribution;
    double shape, confidence, cost_planned, cost_failure;
    bool as_json;
};

/* -1, or the exit code of a usage error. */
static int check_flags(const struct life_flags *f, struct life_request *q)
{
    struct ft_err err;
    const bool has_planned = !isnan(f->cost_planned), has_failure = !isnan(f->cost_failure);
    *q = (struct life_request){.distribution = LIFE_WEIBULL,
                               .confidence = f->confidence,
                               .has_costs = has_planned && has_failure,
                               .cost_planned = f->cost_planned,
                               .cost_failure = f->cost_failure};
    if (has_planned != has_failure)
        return cli_usage_error("--cost-planned and --cost-failure go together");
    if (q->has_costs && (!(f->cost_planned > 0) || !(f->cost_failure > 0)))
        return cli_usage_error("--cost-planned and --cost-failure: expected amounts above 0");
    if (!(f->confidence > 0 && f->confidence < 1))
        return cli_usage_error("--confidence %g: expected a number between 0 and 1", f->confidence);
    if (!isnan(f->shape) && !(f->shape >= 0.01 && f->shape <= 1000))
        return cli_usage_error("--shape %g: expected 0.01 to 1000", f->shape);
    q->shape = isnan(f->shape) ? 0 : f->shape;
    q->is_best = strcasecmp(f->distribution, "best") == 0;
    if (!q->is_best && life_parse(f->distribution, &q->distribution, &err) != FT_OK)
        return cli_usage_error("--distribution: %s, or best", err.msg);
    if (q->shape > 0 && (q->is_best || q->distribution != LIFE_WEIBULL))
        return cli_usage_error("--shape belongs to the weibull distribution");
    return -1;
}

/* 26,297 or 493.05 or 0.003462: five digits, no powers of ten in the usual range. */
static const char *show(double v, char out[40])
{
    if (!isfinite(v)) {
        (void)snprintf(out, 40, "%s", isnan(v) ? "unknown" : "infinite");
    } else if (fabs(v) >= 1000 && fabs(v) < 1e15) {
        char digits[24];
        (void)snprintf(digits, sizeof(digits), "%.0f", fabs(v));
        const size_t n = strlen(digits);
        size_t k = 0;
        if (v < 0)
            out[k++] = '-';
        for (size_t i = 0; i < n; i++) {
            if (i > 0 && (n - i) % 3 == 0)
                out[k++] = ',';
            out[k++] = digits[i];
        }
        out[k] = '\0';
    } else {
        (void)snprintf(out, 40, "%.5g", v);
    }
    return out;
}

/* " hours" from the name of the time column, nothing when the name is no unit. */
static const char *unit_of(const struct life_table *t, char out[80])
{
    static const char *const no_units[] = {"time",        "t",        "age",      "life",
                                           "ttf",         "x",        "duration", "time_to_failure",
                                           "lifetime",    "distance", "mileage",  "lower",
                                           "lower_bound", "left",     "last_good"};
    const char *name = t->time_column;
    for (size_t i = 0; i < sizeof(no_units) / sizeof(no_units[0]); i++)
        if (strcasecmp(name, no_units[i]) == 0)
            name = "";
    if (strcasecmp(name, "hours") == 0 || strcasecmp(name, "hrs") == 0)
        name = "h";
    (void)snprintf(out, 80, "%s%.60s", name[0] != '\0' ? " " : "", name);
    return out;
}

static void print_fit(const struct life_report *r, const char *unit)
{
    char a[40], b[40], c[40];
    const struct life_fit *f = &r->fit;
    const char *name = life_name(f->distribution);
    printf("%c%s", name[0] - 'a' + 'A', name + 1);
    if (f->distribution != LIFE_EXPONENTIAL) {
        printf(", %s %s", life_first_name(f->distribution), show(f->first, a));
        if (f->is_shape_fixed)
            printf(" (given)");
        else
            printf(" (%s to %s)", show(r->has_profile ? r->profile_first[0] : r->first[0], b),
                   show(r->has_profile ? r->profile_first[1] : r->first[1], c));
    }
    printf(", %s %s%s (%s to %s)", f->distribution == LIFE_EXPONENTIAL ? "mean" : "scale",
           show(f->scale, a), unit, show(r->has_profile ? r->profile_scale[0] : r->scale[0], b),
           show(r->has_profile ? r->profile_scale[1] : r->scale[1], c));
    printf("; limits of %g %% confidence by %s.\n", 100 * r->confidence,
           r->has_profile ? "profile likelihood" : "Wald's method");
    if (f->distribution == LIFE_WEIBULL3)
        printf("Nothing fails before %s%s (%s to %s).\n", show(f->threshold, a), unit,
               show(r->threshold[0], b), show(r->threshold[1], c));
    printf("Log-likelihood %.3f, AIC %.2f, BIC %.2f", f->log_likelihood, f->aic, f->bic);
    if (isfinite(r->goodness))
        printf(", Anderson-Darling distance %s", show(r->goodness, a));
    printf(".\nOne in ten has failed by %s%s (%s to %s),", show(r->b10, a), unit,
           show(r->b10_limits[0], b), show(r->b10_limits[1], c));
    printf(" half by %s%s (%s to %s);", show(r->median, a), unit, show(r->median_limits[0], b),
           show(r->median_limits[1], c));
    printf(" mean life %s%s.\n", show(r->mean, a), unit);
}

static void print_verdict(const struct life_report *r, const char *unit)
{
    char a[40], b[40], c[40];
    if (r->verdict == LIFE_REPLACE_AT) {
        printf("Replace at %s%s: saves %.1f %% against run to failure (%s against %s per unit of "
               "time).\n",
               show(r->replacement.interval, a), unit, 100 * r->replacement.saving_frac,
               show(r->replacement.cost_rate, b), show(r->run_to_failure_rate, c));
        return;
    }
    if (r->verdict == LIFE_RUN_TO_FAILURE) {
        printf("Run to failure: %s.", r->reason);
        if (r->has_costs && isfinite(r->run_to_failure_rate))
            printf(" That costs %s per unit of time.", show(r->run_to_failure_rate, a));
        printf("\n");
        return;
    }
    printf("No verdict yet: %s (--cost-planned, --cost-failure).\n", r->reason);
}

static void print_report(const struct life_report *r, const struct life_table *t)
{
    char unit[80], a[40], b[40], c[40];
    unit_of(t, unit);
    printf("%s units: %s failed, %s still running when last seen.\n", show(r->fit.n, a),
           show(r->fit.n_failures, b), show(r->fit.n - r->fit.n_failures, c));
    if (r->n_candidates > 0) {
        printf("\n%-12s %12s %12s %14s %10s %10s\n", "candidate", "shape", "scale",
               "log-likelihood", "AIC", "distance");
        for (size_t i = 0; i < r->n_candidates; i++) {
            const struct life_candidate *k = &r->candidates[i];
            if (k->error.code == FT_OK)
                printf("%-12s %12s %12s %14.3f %10.2f %10s\n", life_name(k->fit.distribution),
                       show(k->fit.first, a), show(k->fit.scale, b), k->fit.log_likelihood,
                       k->fit.aic, show(k->goodness, c));
            else
                printf("%-12s %s\n", life_name((enum life_distribution)i), k->error.msg);
        }
        printf("\n");
    }
    print_fit(r, unit);
    print_verdict(r, unit);
    for (size_t i = 0; i < r->n_warnings; i++)
        printf("Note: %s.\n", r->warnings[i]);
}

static int report(const char *file, const struct life_flags *f, const struct life_request *q)
{
    struct life_table table;
    struct life_report r;
    struct ft_err err;
    if (life_table_read(file, &f->columns, &table, &err) != FT_OK)
        return cli_fail(&err);
    int rc = 0;
    if (life_report_make(&table, q, &r, &err) != FT_OK) {
        if (err.code == FT_TOO_FEW)
            (void)ft_err_prefix(&err, "%s", file);
        rc = cli_fail(&err);
        if (err.code == FT_TOO_FEW)
            fputs("fettle: a shape known from like parts can stand in: --shape X (Weibayes)\n",
                  stderr);
        life_table_free(&table);
        return rc;
    }
    if (f->as_json) {
        cJSON *out = cJSON_CreateObject();
        life_report_json(&r, &table, out);
        rc = cli_print_json(out);
        cJSON_Delete(out);
    } else {
        fprintf(stderr,
                "fettle: time from column %s, failed from %s, entry from %s, count from "
                "%s\n",
                table.time_column, table.event_column[0] != '\0' ? table.event_column : "(none)",
                table.entry_column[0] != '\0' ? table.entry_column : "(none)",
                table.count_column[0] != '\0' ? table.count_column : "(none)");
        print_report(&r, &table);
        rc = fflush(stdout) == 0 ? 0 : 1;
    }
    life_report_free(&r);
    life_table_free(&table);
    return rc;
}

int cmd_life(int argc, char **argv)
{
    struct life_flags f = {.distribution = "weibull",
                           .shape = NAN,
                           .confidence = 0.95,
                           .cost_planned = NAN,
                           .cost_failure = NAN};
    struct life_request q;
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
        {"--count-col", CLI_STRING, &f.columns.count, "C", "number of alike units of a row"},
        {"--distribution", CLI_STRING, &f.distribution, "D",
         "weibull (default), lognormal, loglogistic, exponential, gamma, gumbel, weibull3 or best"},
        {"--shape", CLI_NUMBER, &f.shape, "X", "Weibull shape given, not estimated (Weibayes)"},
        {"--confidence", CLI_NUMBER, &f.confidence, "X", "of the limits; 0.95"},
        {"--cost-planned", CLI_NUMBER, &f.cost_planned, "X", "of a planned replacement"},
        {"--cost-failure", CLI_NUMBER, &f.cost_failure, "X", "of a failure, all in"},
        {"--json", CLI_BOOL, &f.as_json, NULL, "print JSON"},
    };
    const struct cli_usage usage = {
        .examples = "fettle life bearings.csv\n"
                    "fettle life pumps.csv --cost-planned 800 --cost-failure 6500\n"
                    "fettle life fans.csv --distribution best --json\n"
                    "fettle life seals.csv --shape 2 --entry-col installed_age",
        .synopsis = "fettle life FILE.csv [--time-col C] [--event-col C] [--entry-col C]\n"
                    "            [--lower-col C --upper-col C] [--count-col C]\n"
                    "            [--distribution D|best] [--shape X] [--confidence X]\n"
                    "            [--cost-planned X --cost-failure Y] [--json]",
        .text = "One row per unit: its age at failure, or its age when last seen still running\n"
                "(censored). Fits the life distribution by maximum likelihood and, with both\n"
                "costs, says at which age to replace, or that running to failure is cheaper.",
        .flags = flags,
        .n_flags = sizeof(flags) / sizeof(flags[0])};
    int code = cli_parse(&usage, argc, argv, &file, 1, &n_words);
    if (code >= 0)
        return code;
    if (n_words != 1)
        return cli_usage_error("life: expected one CSV file");
    code = check_flags(&f, &q);
    return code >= 0 ? code : report(file, &f, &q);
}
