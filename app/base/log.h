/* Levelled log lines on stderr, one per event. Text on a terminal, JSON lines with a journald
 * level prefix otherwise. Never put a secret in a log line. Thread-safe. */
#ifndef APP_BASE_LOG_H
#define APP_BASE_LOG_H

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Lines above this level are dropped; default LOG_LEVEL_INFO. */
void log_set_level(enum log_level level);

/* Writes one line: control characters in the text are replaced, so a value cannot forge a line. */
__attribute__((format(printf, 2, 3))) void log_line(enum log_level level, const char *fmt, ...);

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...) log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
