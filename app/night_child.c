/* The server's side of the child process, and the child's own side. The child holds a read-only
 * connection and writes two files: PATH (the result, complete or absent) and PATH.progress. It dies
 * with its server (PR_SET_PDEATHSIG). */
#define _GNU_SOURCE /* SCHED_IDLE */
#include "app/base/buf.h"
#include "app/base/clock.h"
#include "app/base/json.h"
#include "app/night.h"
#include "db/db.h"
#include "db/run_store.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LOWEST_PRIORITY = 19, TERM_WAIT_MS = 2000, TERM_STEP_MS = 20, MAX_ERROR = 500 };
#define MAX_RESULT_BYTES ((size_t)1 << 30)

struct night {
    pid_t pid;       /* 0 = ended and waited for */
    int wait_status; /* of waitpid() */
    char *path;      /* result */
    struct night_options options;
};

static char *with_ending(const char *path, const char *ending)
{
    struct buf b;
    buf_init(&b, 8192);
    buf_puts(&b, path);
    buf_puts(&b, ending);
    if (buf_status(&b, NULL) != FT_OK) {
        buf_free(&b);
        return NULL;
    }
    return buf_take(&b, NULL);
}

static void remove_files(const char *path)
{
    static const char *const endings[] = {"", ".part", ".progress", ".progress.part", ".error"};
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        char *name = with_ending(path, endings[i]);
        if (name != NULL)
            (void)unlink(name);
        free(name);
    }
}

/* Whole file as text; NULL when it is absent or too long. */
static char *read_text(const char *path, size_t max, size_t *len)
{
    FILE *f = fopen(path, "rbe");
    struct buf b;
    char part[65536];
    size_t n;
    if (f == NULL)
        return NULL;
    buf_init(&b, max);
    while ((n = fread(part, 1, sizeof(part), f)) > 0)
        buf_put(&b, part, n);
    const bool is_good = ferror(f) == 0 && b.data != NULL && buf_status(&b, NULL) == FT_OK;
    (void)fclose(f);
    if (!is_good) {
        buf_free(&b);
        return NULL;
    }
    return buf_take(&b, len);
}

/* Complete or not at all: written beside and renamed. */
static enum ft_status write_text(const char *path, const char *text, bool is_synced,
                                 struct ft_err *err)
{
    char *part = with_ending(path, ".part");
    FILE *f = part != NULL ? fopen(part, "wbe") : NULL;
    if (f == NULL) {
        const enum ft_status st = ft_fail(err, FT_IO, "%s: %s", path, strerror(errno));
        free(part);
        return st;
    }
    bool is_good = fputs(text, f) >= 0 && fflush(f) == 0;
    is_good = is_good && (!is_synced || fsync(fileno(f)) == 0);
    is_good = fclose(f) == 0 && is_good;
    is_good = is_good && rename(part, path) == 0;
    const enum ft_status st =
        is_good ? FT_OK : ft_fail(err, FT_IO, "%s: %s", path, strerror(errno));
    if (!is_good)
        (void)unlink(part);
    free(part);
    return st;
}

/* --- server --- */

static void exec_child(char *const argv[])
{
    const int null = open("/dev/null", O_RDWR);
    if (null >= 0) {
        (void)dup2(null, STDIN_FILENO);
        (void)dup2(null, STDOUT_FILENO);
    }
    /* The server's other descriptors are close-on-exec; the child must not outlive it. */
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    (void)setpriority(PRIO_PROCESS, 0, LOWEST_PRIORITY);
    const struct sched_param idle = {0};
    (void)sched_setscheduler(0, SCHED_IDLE, &idle);
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)execv(argv[0], argv);
    _exit(127);
}

static char *number_text(int64_t v)
{
    char text[32];
    (void)snprintf(text, sizeof(text), "%lld", (long long)v);
    return strdup(text);
}

enum ft_status night_start(const char *program_path, const char *db_path,
                           const struct night_options *options, struct night **out,
                           struct ft_err *err)
{
    char ending[64];
    struct night *n = calloc(1, sizeof(*n));
    (void)snprintf(ending, sizeof(ending), ".night-%ld", (long)getpid());
    char *path = with_ending(db_path, ending);
    char *program = strdup(program_path);
    char *db = strdup(db_path);
    char *seed = number_text(options->seed);
    char *threads = number_text((int64_t)options->n_threads);
    enum ft_status st = FT_OK;
    *out = NULL;
    if (n == NULL || path == NULL || program == NULL || db == NULL || seed == NULL ||
        threads == NULL) {
        st = ft_fail(err, FT_NOMEM, "night: no memory");
        goto out;
    }
    remove_files(path);
    char verb[] = "retrain", child[] = "--child", flag_db[] = "--db", flag_out[] = "--out",
         flag_seed[] = "--seed", flag_threads[] = "--threads";
    char *argv[] = {program, verb,      child, flag_db,      db,      flag_out,
                    path,    flag_seed, seed,  flag_threads, threads, NULL};
    const pid_t pid = fork();
    if (pid == 0)
        exec_child(argv);
    if (pid < 0) {
        st = ft_fail(err, FT_IO, "night: cannot start the child: %s", strerror(errno));
        goto out;
    }
    n->pid = pid;
    n->path = path;
    n->options = *options;
    *out = n;
    n = NULL;
    path = NULL;
out:
    free(n);
    free(path);
    free(program);
    free(db);
    free(seed);
    free(threads);
    return st;
}

static void read_progress(const struct night *n, struct night_progress *p)
{
    char *name = with_ending(n->path, ".progress");
    char *text = name != NULL ? read_text(name, 4096, NULL) : NULL;
    *p = (struct night_progress){.stage = "starting"};
    if (text != NULL) {
        char *end = text;
        p->done = strtoll(text, &end, 10);
        p->total = strtoll(end, &end, 10);
        while (*end == ' ')
            end++;
        (void)snprintf(p->stage, sizeof(p->stage), "%s", end);
    }
    free(text);
    free(name);
}

/* Why an ended child failed. */
static enum ft_status child_status(const struct night *n, struct ft_err *err)
{
    if (WIFEXITED(n->wait_status) && WEXITSTATUS(n->wait_status) == 0)
        return FT_OK;
    if (WIFSIGNALED(n->wait_status))
        return ft_fail(err, FT_INTERRUPTED, "night: the child was ended by signal %d",
                       WTERMSIG(n->wait_status));
    char *name = with_ending(n->path, ".error");
    char *text = name != NULL ? read_text(name, MAX_ERROR, NULL) : NULL;
    const enum ft_status st =
        ft_fail(err, FT_INTERNAL, "night: the child failed (exit %d): %s",
                WEXITSTATUS(n->wait_status), text != NULL ? text : "no error text");
    free(text);
    free(name);
    return st;
}

enum ft_status night_poll(struct night *n, struct night_progress *progress, bool *is_done,
                          struct ft_err *err)
{
    if (n->pid != 0) {
        const pid_t got = waitpid(n->pid, &n->wait_status, WNOHANG);
        if (got < 0 && errno != EINTR)
            n->wait_status = SIGKILL; /* somebody else reaped it: its fate is unknown */
        if (got == n->pid || (got < 0 && errno != EINTR))
            n->pid = 0;
    }
    *is_done = n->pid == 0;
    if (progress != NULL)
        read_progress(n, progress);
    return *is_done ? child_status(n, err) : FT_OK;
}

static void night_free(struct night *n)
{
    remove_files(n->path);
    free(n->path);
    free(n);
}

static void sleep_ms(long ms)
{
    const struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    (void)nanosleep(&t, NULL);
}

void night_cancel(struct db *db, struct night *n)
{
    if (n == NULL)
        return;
    if (n->pid != 0) {
        (void)kill(n->pid, SIGTERM);
        for (int waited = 0; waited < TERM_WAIT_MS; waited += TERM_STEP_MS) {
            if (waitpid(n->pid, &n->wait_status, WNOHANG) != 0) {
                n->pid = 0;
                break;
            }
            sleep_ms(TERM_STEP_MS);
        }
        if (n->pid != 0) {
            (void)kill(n->pid, SIGKILL);
            (void)waitpid(n->pid, &n->wait_status, 0);
        }
    }
    if (db != NULL && n->options.run_id != 0)
        (void)run_finish(db, n->options.run_id, "interrupted", NULL, NULL);
    night_free(n);
}

/* --- the result file --- */

static cJSON *result_to_json(const struct night_result *r)
{
    cJSON *json = cJSON_CreateObject();
    json_add_number(json, "seconds", r->seconds);
    json_add_number(json, "cores_used", r->cores_used);
    cJSON *results = json_add_array(json, "results");
    for (size_t i = 0; i < r->n; i++) {
        cJSON *item = train_result_to_json(r->results[i]);
        if (item == NULL || !cJSON_AddItemToArray(results, item)) {
            cJSON_Delete(item);
            cJSON_Delete(json);
            return NULL;
        }
    }
    cJSON *skipped = cJSON_Duplicate(r->skipped, true);
    if (skipped != NULL)
        cJSON_AddItemToObject(json, "skipped", skipped);
    return json;
}

static enum ft_status result_from_json(const cJSON *json, struct night_result **out,
                                       struct ft_err *err)
{
    const cJSON *list;
    const cJSON *item;
    const cJSON *skipped;
    *out = NULL;
    struct night_result *r = calloc(1, sizeof(*r));
    if (r == NULL)
        return ft_fail(err, FT_NOMEM, "night: no memory");
    enum ft_status st = json_number(json, "seconds", true, &r->seconds, err);
    if (st == FT_OK)
        st = json_number(json, "cores_used", true, &r->cores_used, err);
    if (st == FT_OK)
        st = json_array(json, "results", true, &list, err);
    if (st == FT_OK)
        st = json_array(json, "skipped", true, &skipped, err);
    if (st == FT_OK) {
        r->skipped = cJSON_Duplicate(skipped, true);
        r->results = calloc((size_t)cJSON_GetArraySize(list) + 1, sizeof(struct train_result *));
        if (r->skipped == NULL || r->results == NULL)
            st = ft_fail(err, FT_NOMEM, "night: no memory");
    }
    if (st == FT_OK)
        cJSON_ArrayForEach (item, list) {
            if (st == FT_OK)
                st = train_result_from_json(item, &r->results[r->n], err);
            r->n += st == FT_OK;
        }
    if (st == FT_OK) {
        *out = r;
        r = NULL;
    }
    night_result_free(r);
    return st;
}

static enum ft_status read_result(const char *path, struct night_result **out, struct ft_err *err)
{
    size_t len = 0;
    cJSON *json = NULL;
    char *text = read_text(path, MAX_RESULT_BYTES, &len);
    *out = NULL;
    if (text == NULL)
        return ft_fail(err, FT_IO, "night: the child left no result in %s", path);
    enum ft_status st = json_parse(text, len, &json, err);
    free(text);
    if (st == FT_OK)
        st = result_from_json(json, out, err);
    cJSON_Delete(json);
    return st;
}

enum ft_status night_apply(struct db *db, struct night *n, char **report, struct ft_err *err)
{
    struct night_result *r = NULL;
    bool is_done = false;
    if (report != NULL)
        *report = NULL;
    enum ft_status st = night_poll(n, NULL, &is_done, err);
    if (st == FT_OK && !is_done)
        st = ft_fail(err, FT_BUSY, "night: the child is still working");
    if (st == FT_OK)
        st = read_result(n->path, &r, err);
    if (st == FT_OK) {
        st = night_write(db, r, &n->options, report, err);
    } else {
        /* night_write() finishes the row itself; here it never began. */
        int64_t run_id = n->options.run_id;
        cJSON *json = cJSON_CreateObject();
        json_add_string(json, "error", err != NULL ? err->msg : ft_status_name(st));
        char *text = json_print(json, false);
        if (run_id == 0)
            (void)run_start(db, "retrain", &run_id, NULL);
        if (run_id != 0)
            (void)run_finish(db, run_id, st == FT_INTERRUPTED ? "interrupted" : "failed", text,
                             NULL);
        free(text);
        cJSON_Delete(json);
    }
    night_result_free(r);
    if (is_done)
        night_free(n);
    else
        night_cancel(NULL, n);
    return st;
}

/* --- child --- */

struct child_progress {
    char *path; /* of the progress file */
    double last_s;
};

/* Called from the pool's threads one at a time or not: the newest text wins, a lost one does not
 * matter, so a compare-and-swap on the second is enough. */
static void tell_progress(void *ctx, const char *stage, size_t done, size_t total)
{
    struct child_progress *p = ctx;
    const double now = clock_mono_s();
    double last;
    __atomic_load(&p->last_s, &last, __ATOMIC_RELAXED);
    if (now - last < 0.5)
        return;
    if (!__atomic_compare_exchange(&p->last_s, &last, &(double){now}, false, __ATOMIC_RELAXED,
                                   __ATOMIC_RELAXED))
        return;
    char text[256];
    (void)snprintf(text, sizeof(text), "%zu %zu %.90s", done, total, stage);
    (void)write_text(p->path, text, false, NULL);
}

enum ft_status night_child(const char *db_path, const char *path,
                           const struct night_options *options, bool (*is_interrupted)(void),
                           struct ft_err *err)
{
    struct db *db = NULL;
    struct night_result *r = NULL;
    struct child_progress progress = {.path = with_ending(path, ".progress")};
    char *error_path = with_ending(path, ".error");
    cJSON *json = NULL;
    char *text = NULL;
    struct ft_err why = {0};
    enum ft_status st = FT_OK;
    if (progress.path == NULL || error_path == NULL)
        st = ft_fail(&why, FT_NOMEM, "night: no memory");
    if (st == FT_OK)
        st = db_open_reader(db_path, &db, &why);
    if (st == FT_OK)
        st = night_train(db, options, is_interrupted, tell_progress, &progress, &r, &why);
    db_close(db);
    if (st == FT_OK) {
        json = result_to_json(r);
        text = json != NULL ? json_print(json, false) : NULL;
        st = text != NULL ? write_text(path, text, true, &why)
                          : ft_fail(&why, FT_NOMEM, "night: no memory for the result");
    }
    if (st != FT_OK) {
        if (error_path != NULL)
            (void)write_text(error_path, why.msg, false, NULL);
        (void)ft_fail(err, st, "%s", why.msg);
    }
    free(text);
    cJSON_Delete(json);
    night_result_free(r);
    free(progress.path);
    free(error_path);
    return st;
}
