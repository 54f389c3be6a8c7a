/* A file that the build put into the program (app/tools/embed.c). data is followed by a NUL. */
#ifndef APP_BASE_EMBEDDED_H
#define APP_BASE_EMBEDDED_H

#include <stddef.h>

struct embedded_file {
    const char *name; /* without folder */
    const unsigned char *data;
    size_t len;
};

extern const struct embedded_file db_migrations[]; /* in order of their number */
extern const size_t db_migrations_count;
extern const struct embedded_file web_assets[];
extern const size_t web_assets_count;

#endif
