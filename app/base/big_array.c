#include "app/base/big_array.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { LINE = 64 };
static const size_t HUGE_PAGE = (size_t)2 << 20, SMALLEST = (size_t)4 << 20;

void *big_array(size_t n, size_t size)
{
    void *p = NULL;
    if (size != 0 && n > (SIZE_MAX - HUGE_PAGE) / size)
        return NULL;
    const size_t bytes = n * size > 0 ? n * size : 1;
    if (posix_memalign(&p, bytes < SMALLEST ? LINE : HUGE_PAGE, bytes) != 0)
        return NULL;
#if defined(MADV_HUGEPAGE)
    if (bytes >= SMALLEST) /* a wish: small pages do as well */
        (void)madvise(p, bytes / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
#endif
    return p;
}
