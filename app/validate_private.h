/* Inside of validate.c. */
#ifndef APP_VALIDATE_PRIVATE_H
#define APP_VALIDATE_PRIVATE_H

#include "app/validate.h"

/* pool_run() over job numbers begin .. begin + n - 1. */
void validate_run_part(struct pool *pool, size_t begin, size_t n, void (*job)(void *ctx, size_t i),
                       void *ctx);

#endif
