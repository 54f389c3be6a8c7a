#include "app/base/log.h"

#include "app/base/clock.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

static atomic_int max_level = LOG_LEVEL_INFO;
static pthread_mutex_t line_lock = PTHREAD_MUTEX_INITIALIZER;

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&max_level, (int)level, memory_order_relaxed);
}

/* Writes text as the inside of a JSON string; on a terminal only control bytes are replaced. */
static void put_text(FILE *f, const char *text, int as_json)
{
    for (const char *p = text; *p != '\0'; p++) {
        const unsigned char c = (unsigned char)*p;
        if (c < 0x20 || c == 0x7f)
            fputc(' ', f);
        else if (as_json && (c == '"' || c == '\\'))
            fprintf(f, "\\%c", c);
        else
            fputc(c, f);
    }
}

void log_line(enum log_level level, const char *fmt, ...)
{
    static const char *const words[] = {"error", "warn", "info", "debug"};
    static const int syslog_level[] = {3, 4, 6, 7};
    if ((int)level > atomic_load_explicit(&max_level, memory_order_relaxed))
        return;
    char text[2048];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    char when[CLOCK_TEXT_SIZE];
    clock_format_utc(clock_now_ms(), when);
    const int terminal = isatty(STDERR_FILENO);
    pthread_mutex_lock(&line_lock);
    if (terminal) {
        fprintf(stderr, "%s %-5s ", when, words[level]);
        put_text(stderr, text, 0);
        fputc('\n', stderr);
    } else {
        fprintf(stderr, "<%d>{\"time\":\"%s\",\"level\":\"%s\",\"msg\":\"", syslog_level[level],
                when, words[level]);
        put_text(stderr, text, 1);
        fputs("\"}\n", stderr);
    }
    pthread_mutex_unlock(&line_lock);
}
