/* The allocator of a test program refuses one request: set no_memory_in to the number of requests
 * that still succeed, run the call, set it back to -1. Include it in one file of the program. Where
 * the sanitizers or another C library own the allocator, NO_MEMORY is not defined and nothing is
 * replaced. */
#ifndef TESTS_NO_MEMORY_H
#define TESTS_NO_MEMORY_H

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_OWN_ALLOCATOR 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HAS_OWN_ALLOCATOR 1
#endif
#endif

#if !defined(HAS_OWN_ALLOCATOR) && defined(__GLIBC__)
#define NO_MEMORY 1

static atomic_long no_memory_in = -1; /* requests that still succeed; below 0: all do */
static atomic_long no_memory_refused; /* requests refused so far */
static atomic_long no_memory_live;    /* blocks that are not freed */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *p);

static bool no_memory_now(void)
{
    if (atomic_load(&no_memory_in) < 0 || atomic_fetch_sub(&no_memory_in, 1) > 0)
        return false;
    atomic_store(&no_memory_in, -1);
    atomic_fetch_add(&no_memory_refused, 1);
    return true;
}

static void *no_memory_count(void *p)
{
    atomic_fetch_add(&no_memory_live, p != NULL);
    return p;
}

void *malloc(size_t size)
{
    return no_memory_now() ? NULL : no_memory_count(__libc_malloc(size));
}

void *calloc(size_t n, size_t size)
{
    return no_memory_now() ? NULL : no_memory_count(__libc_calloc(n, size));
}

void *realloc(void *p, size_t size)
{
    if (no_memory_now())
        return NULL;
    return p != NULL ? __libc_realloc(p, size) : no_memory_count(__libc_realloc(p, size));
}

void *reallocarray(void *p, size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(p, bytes);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    void *p = no_memory_now() ? NULL : no_memory_count(__libc_memalign(alignment, size));
    if (p == NULL)
        return ENOMEM;
    *out = p;
    return 0;
}

void free(void *p)
{
    atomic_fetch_sub(&no_memory_live, p != NULL);
    __libc_free(p);
}
#endif

#endif
