/* Frame of the command line: one table of commands, one flag parser, one way to report. Data goes
 * to stdout, messages to stderr. */
#ifndef APP_CLI_CLI_H
#define APP_CLI_CLI_H

#include "app/base/status.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cli_command {
    const char *name;    /* "import" */
    const char *summary; /* one line for the list of commands */
    /* argv[0] is the command's own name. Returns the exit code (DESIGN section 7). */
    int (*run)(int argc, char **argv);
};

enum cli_kind {
    CLI_BOOL,     /* bool *target, set to true */
    CLI_STRING,   /* const char **target */
    CLI_INT,      /* int64_t *target */
    CLI_NUMBER,   /* double *target, finite */
    CLI_DURATION, /* int64_t *target in ms: 24h, 30d */
    CLI_INSTANT,  /* int64_t *target in ms: RFC 3339 or date */
    CLI_SIZE      /* int64_t *target in bytes: 512MiB, 2G */
};

struct cli_flag {
    const char *name; /* "--class"; a short form follows a comma: "--help,-h" */
    enum cli_kind kind;
    void *target;           /* keeps its value when the flag is absent */
    const char *value_name; /* "NAME" in the help; NULL for CLI_BOOL */
    const char *help;
};

struct cli_usage {
    const char *examples; /* shown first by -h, one per line */
    const char *synopsis; /* "fettle predict [--class K] [--at TIME] [--json]" */
    const char *text;     /* a paragraph, may be NULL */
    const struct cli_flag *flags;
    size_t n_flags;
};

/* Parses flags ("--x v", "--x=v", "--" ends them). Other words go to words[max_words] in order,
 * their number to *n_words. Every command also knows --db FILE (see cli_db_path()) and -h. Returns
 * -1 to go on, else the exit code: 0 after -h (help on stdout), 2 on a usage error (text on
 * stderr). */
int cli_parse(const struct cli_usage *usage, int argc, char **argv, const char **words,
              size_t max_words, size_t *n_words);

/* --db, else $FETTLE_DB, else ./fettle.db. */
const char *cli_db_path(void);

/* Prints "fettle: <text>" on stderr and returns the exit code of the status. */
int cli_fail(const struct ft_err *err);
/* Usage error: prints the text and a hint to -h, returns 2. */
__attribute__((format(printf, 1, 2))) int cli_usage_error(const char *fmt, ...);

/* Prints pretty JSON and a newline on stdout; returns 0, or 1 when stdout cannot take it. */
int cli_print_json(const cJSON *value);

/* True once Ctrl-C or SIGTERM came; long work looks at it and ends with FT_INTERRUPTED. */
bool cli_is_interrupted(void);
/* Installs the handlers (main does it). A second signal ends the process at once. */
void cli_catch_signals(void);

/* A progress bar on a terminal, a plain line every 10 s otherwise; on stderr. Thread-safe. total 0
 * = unknown. */
struct cli_progress;
struct cli_progress *cli_progress_new(const char *what, int64_t total, const char *unit);
void cli_progress_set(struct cli_progress *p, int64_t done);
void cli_progress_stage(struct cli_progress *p, const char *what, int64_t total);
void cli_progress_end(struct cli_progress *p); /* clears the bar and frees; NULL is fine */

/* True when stdout is a terminal and NO_COLOR is not set. */
bool cli_use_colour(void);

#endif
