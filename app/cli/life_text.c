/* The life answer as text for people. */
#include "app/cli/life_text.h"

#include "app/cli/cli_site.h"
#include "app/life_words.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

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
    char a[40], b[40], c[40], words[LIFE_GOODNESS_WORDS];
    const struct life_fit *f = &r->fit;
    const char *name = life_name(f->distribution);
    printf("%c%s", name[0] - 'a' + 'A', name + 1);
    if (f->distribution != LIFE_EXPONENTIAL) {
        printf(", %s %s", life_first_name(f->distribution), life_number(f->first, a));
        if (f->is_shape_fixed)
            printf(" (given)");
        else
            printf(" (%s to %s)",
                   life_number(r->has_profile ? r->profile_first[0] : r->first[0], b),
                   life_number(r->has_profile ? r->profile_first[1] : r->first[1], c));
    }
    printf(", %s %s%s (%s to %s)", f->distribution == LIFE_EXPONENTIAL ? "mean" : "scale",
           life_number(f->scale, a), unit,
           life_number(r->has_profile ? r->profile_scale[0] : r->scale[0], b),
           life_number(r->has_profile ? r->profile_scale[1] : r->scale[1], c));
    printf("; limits of %g %% confidence by %s.\n", 100 * r->confidence,
           r->has_profile     ? "profile likelihood"
           : r->has_posterior ? "the posterior"
                              : "Wald's method");
    if (f->distribution == LIFE_WEIBULL3)
        printf("Nothing fails before %s%s (%s to %s).\n", life_number(f->threshold, a), unit,
               life_number(r->threshold[0], b), life_number(r->threshold[1], c));
    printf("Log-likelihood %.3f", f->log_likelihood);
    if (isfinite(f->aic))
        printf(", AIC %.2f, BIC %.2f", f->aic, f->bic);
    if (isfinite(r->goodness))
        printf(", Anderson-Darling distance %s", life_number(r->goodness, a));
    life_report_test_words(r, words);
    printf(".\n%s", words);
    printf("\nOne in ten has failed by %s%s (%s to %s),", life_number(r->b10, a), unit,
           life_number(r->b10_limits[0], b), life_number(r->b10_limits[1], c));
    printf(" half by %s%s (%s to %s);", life_number(r->median, a), unit,
           life_number(r->median_limits[0], b), life_number(r->median_limits[1], c));
    printf(" mean life %s%s.\n", life_number(r->mean, a), unit);
}

static void print_mixture(const struct mixture *m, const char *unit)
{
    char a[40], b[40];
    printf("Mixture of two Weibulls: log-likelihood %.3f, BIC %.2f against %.2f of one Weibull.\n",
           m->log_likelihood, m->bic, m->single_bic);
    for (int k = 0; k < 2; k++)
        printf("  %.1f %% of the units: shape %s, scale %s%s.\n",
               100 * (k == 0 ? m->share : 1 - m->share), life_number(m->shape[k], a),
               life_number(m->scale[k], b), unit);
}

static void print_verdict(const struct life_report *r, const char *unit)
{
    char a[40], b[40], c[40];
    if (r->verdict == LIFE_REPLACE_AT) {
        printf("Replace at %s%s: saves %.1f %% against run to failure (%s against %s per unit of "
               "time).\n",
               life_number(r->replacement.interval, a), unit, 100 * r->replacement.saving_frac,
               life_number(r->replacement.cost_rate, b), life_number(r->run_to_failure_rate, c));
        return;
    }
    if (r->verdict == LIFE_RUN_TO_FAILURE) {
        printf("Run to failure: %s.", r->reason);
        if (r->has_costs && isfinite(r->run_to_failure_rate))
            printf(" That costs %s per unit of time.", life_number(r->run_to_failure_rate, a));
        printf("\n");
        return;
    }
    printf("No verdict yet: %s (--cost-planned, --cost-failure).\n", r->reason);
}

static void print_report(const struct life_report *r, const char *unit)
{
    char a[40], b[40], c[40];
    printf("%s units: %s failed, %s still running when last seen.\n", life_number(r->fit.n, a),
           life_number(r->fit.n_failures, b), life_number(r->fit.n - r->fit.n_failures, c));
    if (r->n_candidates > 0) {
        printf("\n%-12s %12s %12s %14s %10s %10s\n", "candidate", "shape", "scale",
               "log-likelihood", "AIC", "distance");
        for (size_t i = 0; i < r->n_candidates; i++) {
            const struct life_candidate *k = &r->candidates[i];
            if (k->error.code == FT_OK)
                printf("%-12s %12s %12s %14.3f %10.2f %10s\n", life_name(k->fit.distribution),
                       life_number(k->fit.first, a), life_number(k->fit.scale, b),
                       k->fit.log_likelihood, k->fit.aic, life_number(k->goodness, c));
            else
                printf("%-12s %s\n", life_name((enum life_distribution)i), k->error.msg);
        }
        printf("\n");
    }
    print_fit(r, unit);
    if (r->has_mixture)
        print_mixture(&r->mixture, unit);
    print_verdict(r, unit);
    for (size_t i = 0; i < r->n_warnings; i++)
        printf("Note: %s.\n", r->warnings[i]);
}

static void print_modes(const struct life_modes *modes, const char *unit)
{
    char a[40], b[40], c[40];
    printf("\n%-16s %9s %12s %12s %12s  %s\n", "failure mode", "failures", "shape", "scale",
           "share failed", "hazard");
    for (size_t k = 0; k < modes->n; k++) {
        const struct life_mode *m = &modes->items[k];
        const double share = m->n_incidence > 0 ? m->incidence[m->n_incidence - 1].incidence : NAN;
        if (m->error.code != FT_OK) {
            printf("%-16s %9s %s\n", m->name, life_number(m->n_failures, a), m->error.msg);
            continue;
        }
        printf("%-16s %9s %12s %12s %12s  %s\n", m->name, life_number(m->n_failures, a),
               life_number(m->report.fit.first, b), life_number(m->report.fit.scale, c),
               isnan(share) ? "-" : life_number(share, (char[40]){0}),
               life_hazard_rises(&m->report.fit) ? "rises" : "does not rise");
        if (m->report.verdict == LIFE_REPLACE_AT)
            printf("%-16s replace at %s%s, saves %.1f %%\n", "",
                   life_number(m->report.replacement.interval, a), unit,
                   100 * m->report.replacement.saving_frac);
    }
}

static void print_mcf(const struct life_recurrent *r, const char *unit)
{
    enum { MAX_LINES = 12 };
    char a[40], b[40], c[40], d[40];
    const size_t step = r->n_mcf > MAX_LINES ? (r->n_mcf + MAX_LINES - 1) / MAX_LINES : 1;
    printf("\n%12s %8s %14s  limits of %g %% confidence\n", unit[0] != '\0' ? unit + 1 : "age",
           "assets", "events by then", 100 * r->confidence);
    for (size_t i = step - 1; i < r->n_mcf; i += step) {
        const struct mcf_point *p = &r->mcf[i];
        printf("%12s %8s %14s  %s to %s\n", life_number(p->time, a), life_number(p->n_risk, b),
               life_number(p->mean, c), life_number(p->lower, d),
               life_number(p->upper, (char[40]){0}));
    }
}

static void print_recurrent(const struct life_recurrent *r, const char *unit)
{
    char a[40], b[40], c[40];
    printf("%zu assets, %zu events in %s%s under observation.\n", r->data.n_units, r->data.n_events,
           life_number(r->exposure, a), unit);
    print_mcf(r, unit);
    printf("\nTrend: %s.\n", r->verdict);
    if (r->power_error.code == FT_OK)
        printf("Power law (Crow-AMSAA): shape %s (%s to %s); one event every %s%s per asset at the "
               "end.\n",
               life_number(r->power.shape, a), life_number(r->shape[0], b),
               life_number(r->shape[1], c), life_number(1 / r->rate_now, (char[40]){0}), unit);
    if (r->best_repair >= 0) {
        const struct kijima *k = &r->repair[r->best_repair];
        printf(
            "Imperfect repair (Kijima %s): a repair leaves %.0f %% of the wear (%.0f to %.0f); 0 "
            "= as good as new, 100 = as bad as old.\n",
            k->type == 1 ? "I" : "II", 100 * k->q, 100 * k->q_limits[0], 100 * k->q_limits[1]);
    }
    if (r->has_costs && r->renewal.has_optimum)
        printf("Renew every %s%s and repair between: costs %s per unit of time.\n",
               life_number(r->renewal.interval, a), unit, life_number(r->renewal.cost_rate, b));
    else if (r->has_costs)
        printf("No renewal date: events do not come more often with age.\n");
}

void life_text_columns(const struct life_table *t)
{
    const char *const names[][2] = {{"time", t->time_column},   {"failed", t->event_column},
                                    {"entry", t->entry_column}, {"count", t->count_column},
                                    {"upper", t->upper_column}, {"mode", t->mode_column},
                                    {"asset", t->asset_column}};
    fprintf(stderr, "fettle: ");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (i < 4 || names[i][1][0] != '\0')
            fprintf(stderr, "%s%s from %s%s", i > 0 ? ", " : "", names[i][0],
                    i == 0 ? "column " : "", names[i][1][0] != '\0' ? names[i][1] : "(none)");
    fprintf(stderr, "\n");
}

void life_text(const struct life_answer *a, const struct life_table *t)
{
    char unit[80];
    unit_of(t, unit);
    if (a->is_recurrent) {
        print_recurrent(&a->recurrent, unit);
        return;
    }
    print_report(&a->report, unit);
    if (a->has_decisions) {
        printf("\nDecisions:\n");
        for (size_t i = 0; i < a->decisions.n_words; i++)
            printf("  %s\n", a->decisions.words[i]);
    }
    if (a->has_modes)
        print_modes(&a->modes, unit);
}

static void print_part(const cJSON *c)
{
    char a[40], b[40], d[40], interval[100] = "-";
    const double best = cli_number(c, "best_interval_d");
    const cJSON *ci = json_get(c, "best_interval_ci_d");
    if (isfinite(best))
        (void)snprintf(interval, sizeof(interval), "%s d (%s to %s)", life_number(best, a),
                       life_number(cJSON_GetNumberValue(cJSON_GetArrayItem(ci, 0)), b),
                       life_number(cJSON_GetNumberValue(cJSON_GetArrayItem(ci, 1)), d));
    cli_put(cli_text(c, "class"), 18);
    cli_put(cli_text(c, "component"), 16);
    printf("%9s ", life_number(cli_number(c, "failures"), a));
    if (!isfinite(cli_number(c, "shape"))) {
        printf("%s\n", cli_text(c, "reason"));
        return;
    }
    printf("%7.3g %9s  ", cli_number(c, "shape"), life_number(cli_number(c, "scale_d"), b));
    cli_put(interval, 30);
    if (isfinite(best))
        printf("%6.1f %%", 100 * cli_number(c, "saving_frac"));
    else
        printf("%8s", "");
    printf("  %s%s\n", cli_text(c, "verdict"), cJSON_IsObject(json_get(c, "prior")) ? " *" : "");
}

void life_text_site(const cJSON *site)
{
    char a[40], b[32];
    const cJSON *c = NULL;
    bool has_prior = false;
    cli_put("class", 18);
    cli_put("component", 16);
    printf("%9s %7s %9s  ", "failures", "shape", "scale d");
    cli_put("replace at", 30);
    printf("%8s  verdict\n", "saves");
    cJSON_ArrayForEach (c, json_get(site, "components")) {
        print_part(c);
        has_prior = has_prior || cJSON_IsObject(json_get(c, "prior"));
    }
    if (has_prior)
        printf("* few failures: the shape rests on the other parts of the site too.\n");
    printf("\nPreventive work that could stop or come less often:\n");
    cJSON_ArrayForEach (c, json_get(site, "stop")) {
        printf("  %-10s %s: %s h and %s %s a year. %s\n",
               strcmp(cli_text(c, "advice"), "stop") == 0 ? "stop" : "less often",
               cli_text(c, "plan"), life_number(cli_number(c, "hours_per_year"), a),
               cli_grouped(cli_number(c, "saving_per_year"), b), cli_text(site, "currency"),
               cli_text(c, "why"));
    }
    if (cJSON_GetArraySize(json_get(site, "stop")) == 0)
        printf("  none.\n");
    else
        printf("Together %s h and %s %s a year.\n",
               life_number(cli_number(site, "hours_per_year"), a),
               cli_grouped(cli_number(site, "saving_per_year"), b), cli_text(site, "currency"));
}
