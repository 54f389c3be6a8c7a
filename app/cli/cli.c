#include "app/cli/cli.h"

#include "app/base/clock.h"
#include "app/config.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *db_flag; /* value of --db of this process's one command */
static volatile sig_atomic_t n_signals;

const char *cli_db_path(void)
{
    if (db_flag != NULL)
        return db_flag;
    const char *from_environment = getenv("FETTLE_DB");
    return from_environment != NULL && from_environment[0] != '\0' ? from_environment : "fettle.db";
}

int cli_fail(const struct ft_err *err)
{
    fprintf(stderr, "fettle: %s\n", err->msg);
    return ft_status_exit_code(err->code);
}

int cli_usage_error(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fputs("fettle: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputs(" (-h shows examples)\n", stderr);
    va_end(ap);
    return 2;
}

int cli_print_json(const cJSON *value)
{
    char *text = cJSON_Print(value);
    if (text == NULL || puts(text) < 0 || fflush(stdout) != 0) {
        free(text);
        fputs("fettle: the result cannot be written\n", stderr);
        return 1;
    }
    free(text);
    return 0;
}

bool cli_use_colour(void)
{
    const char *term = getenv("TERM");
    return isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL &&
           (term == NULL || strcmp(term, "dumb") != 0);
}

static void on_signal(int number)
{
    (void)number;
    if (++n_signals > 1)
        _exit(130);
}

void cli_catch_signals(void)
{
    struct sigaction sa = {.sa_handler = on_signal};
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
    signal(SIGPIPE, SIG_IGN);
}

bool cli_is_interrupted(void)
{
    return n_signals > 0;
}

/* Does word name the flag? "--help,-h" has two names. */
static bool is_flag_name(const char *names, const char *word, size_t len)
{
    for (const char *p = names; *p != '\0';) {
        const size_t n = strcspn(p, ",");
        if (n == len && strncmp(p, word, n) == 0)
            return true;
        p += n + (p[n] == ',');
    }
    return false;
}

static void print_help(const struct cli_usage *u)
{
    printf("Examples:\n");
    for (const char *p = u->examples; *p != '\0';) {
        const size_t n = strcspn(p, "\n");
        printf("  %.*s\n", (int)n, p);
        p += n + (p[n] == '\n');
    }
    printf("\nUsage: %s\n", u->synopsis);
    if (u->text != NULL)
        printf("\n%s\n", u->text);
    printf("\nFlags:\n");
    for (size_t i = 0; i < u->n_flags; i++) {
        char head[64];
        snprintf(head, sizeof(head), "%s%s%s", u->flags[i].name,
                 u->flags[i].value_name != NULL ? " " : "",
                 u->flags[i].value_name != NULL ? u->flags[i].value_name : "");
        printf("  %-24s %s\n", head, u->flags[i].help);
    }
    printf("  %-24s %s\n", "--db FILE", "database; else $FETTLE_DB, else ./fettle.db");
    printf("  %-24s %s\n", "-h, --help", "this text");
    printf("\nExit codes: 0 ok, 1 failure, 2 usage, 3 not found, 4 invalid data, 5 refused,\n"
           "6 partial (some rows quarantined), 7 unavailable, 130 interrupted.\n");
}

/* Stores one value; NULL, or what was expected. */
static const char *store_value(const struct cli_flag *flag, const char *value)
{
    char *end = NULL;
    switch (flag->kind) {
    case CLI_BOOL:
        *(bool *)flag->target = true;
        return NULL;
    case CLI_STRING:
        *(const char **)flag->target = value;
        return NULL;
    case CLI_INT: {
        errno = 0;
        const long long v = strtoll(value, &end, 10);
        if (end == value || *end != '\0' || errno != 0)
            return "a whole number";
        *(int64_t *)flag->target = v;
        return NULL;
    }
    case CLI_NUMBER: {
        const double v = strtod(value, &end);
        if (end == value || *end != '\0' || !isfinite(v))
            return "a number";
        *(double *)flag->target = v;
        return NULL;
    }
    case CLI_DURATION:
        return clock_parse_duration(value, flag->target, NULL) == FT_OK
                   ? NULL
                   : "a duration such as 24h or 30d";
    case CLI_INSTANT:
        return clock_parse(value, strlen(value), flag->target, NULL) == FT_OK
                   ? NULL
                   : "a time such as 2026-11-21 or 2026-11-21T06:42:00Z";
    default:
        return config_parse_size(value, flag->target) ? NULL : "a size such as 512MiB";
    }
}

/* Takes the flag at argv[*i]; -1 to go on, else an exit code. */
static int take_flag(const struct cli_usage *u, int argc, char **argv, int *i)
{
    static const struct cli_flag db = {"--db", CLI_STRING, &db_flag, "FILE", ""};
    const char *word = argv[*i];
    const size_t len = strcspn(word, "=");
    const struct cli_flag *flag = is_flag_name("--db", word, len) ? &db : NULL;
    for (size_t k = 0; k < u->n_flags && flag == NULL; k++)
        if (is_flag_name(u->flags[k].name, word, len))
            flag = &u->flags[k];
    if (flag == NULL && (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0)) {
        print_help(u);
        return 0;
    }
    if (flag == NULL)
        return cli_usage_error("unknown flag %.60s", word);
    const char *value = word[len] == '=' ? word + len + 1 : NULL;
    if (flag->kind == CLI_BOOL && value != NULL)
        return cli_usage_error("%s takes no value", flag->name);
    if (flag->kind != CLI_BOOL && value == NULL) {
        if (*i + 1 >= argc)
            return cli_usage_error("%s needs a value", flag->name);
        value = argv[++*i];
    }
    const char *expected = store_value(flag, value);
    if (expected != NULL)
        return cli_usage_error("%s %.60s: expected %s", flag->name, value, expected);
    return -1;
}

int cli_parse(const struct cli_usage *usage, int argc, char **argv, const char **words,
              size_t max_words, size_t *n_words)
{
    bool flags_over = false;
    size_t n = 0;
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (!flags_over && strcmp(word, "--") == 0) {
            flags_over = true;
        } else if (!flags_over && word[0] == '-' && word[1] != '\0') {
            const int code = take_flag(usage, argc, argv, &i);
            if (code >= 0)
                return code;
        } else if (n == max_words) {
            return cli_usage_error("unexpected word '%.60s'", word);
        } else {
            words[n++] = word;
        }
    }
    if (n_words != NULL)
        *n_words = n;
    return -1;
}

struct cli_progress {
    pthread_mutex_t lock;
    char what[80];
    const char *unit;
    int64_t total, done;
    double start_s, shown_s;
    bool is_terminal;
};

struct cli_progress *cli_progress_new(const char *what, int64_t total, const char *unit)
{
    struct cli_progress *p = calloc(1, sizeof(*p));
    if (p == NULL)
        return NULL;
    pthread_mutex_init(&p->lock, NULL);
    snprintf(p->what, sizeof(p->what), "%s", what);
    p->unit = unit;
    p->total = total;
    p->start_s = clock_mono_s();
    const char *term = getenv("TERM");
    p->is_terminal = isatty(STDERR_FILENO) && (term == NULL || strcmp(term, "dumb") != 0);
    p->shown_s = p->is_terminal ? 0 : p->start_s;
    return p;
}

static void show(struct cli_progress *p, double now_s)
{
    enum { WIDTH = 28 };
    const double elapsed_s = now_s - p->start_s;
    const double rate = elapsed_s > 0 ? (double)p->done / elapsed_s : 0;
    char left[48] = "";
    if (p->total > 0 && p->done > 0 && p->done < p->total)
        snprintf(left, sizeof(left), ", %.3g/s, %.0f s left", rate,
                 (double)(p->total - p->done) / rate);
    if (!p->is_terminal) {
        fprintf(stderr, "%s: %lld of %lld %s%s\n", p->what, (long long)p->done, (long long)p->total,
                p->unit, left);
        return;
    }
    const double frac = p->total > 0 ? fmin(1.0, (double)p->done / (double)p->total) : 0;
    char bar[WIDTH + 1];
    for (int i = 0; i < WIDTH; i++)
        bar[i] = i < (int)(frac * WIDTH + 0.5) ? '#' : '.';
    bar[WIDTH] = '\0';
    if (p->total > 0)
        fprintf(stderr, "\r%-28.28s [%s] %3.0f %% %lld/%lld %s%s\033[K", p->what, bar, frac * 100,
                (long long)p->done, (long long)p->total, p->unit, left);
    else
        fprintf(stderr, "\r%-28.28s %lld %s, %.0f/s\033[K", p->what, (long long)p->done, p->unit,
                rate);
    fflush(stderr);
}

void cli_progress_set(struct cli_progress *p, int64_t done)
{
    if (p == NULL)
        return;
    pthread_mutex_lock(&p->lock);
    if (done > p->done)
        p->done = done;
    const double now_s = clock_mono_s();
    if (now_s - p->shown_s > (p->is_terminal ? 0.1 : 10.0)) {
        p->shown_s = now_s;
        show(p, now_s);
    }
    pthread_mutex_unlock(&p->lock);
}

void cli_progress_stage(struct cli_progress *p, const char *what, int64_t total)
{
    if (p == NULL)
        return;
    pthread_mutex_lock(&p->lock);
    snprintf(p->what, sizeof(p->what), "%s", what);
    p->total = total;
    p->done = 0;
    p->start_s = clock_mono_s();
    pthread_mutex_unlock(&p->lock);
}

void cli_progress_end(struct cli_progress *p)
{
    if (p == NULL)
        return;
    if (p->is_terminal)
        fputs("\r\033[K", stderr);
    pthread_mutex_destroy(&p->lock);
    free(p);
}
