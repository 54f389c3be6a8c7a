#include "app/base/utf8.h"

#include <string.h>

size_t utf8_length(const unsigned char *p, size_t left)
{
    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xc2 && p[0] <= 0xdf)
        return left >= 2 && (p[1] & 0xc0) == 0x80 ? 2 : 0;
    if (p[0] >= 0xe0 && p[0] <= 0xef) {
        const unsigned char lo = p[0] == 0xe0 ? 0xa0 : 0x80;
        const unsigned char hi = p[0] == 0xed ? 0x9f : 0xbf;
        return left >= 3 && p[1] >= lo && p[1] <= hi && (p[2] & 0xc0) == 0x80 ? 3 : 0;
    }
    if (p[0] >= 0xf0 && p[0] <= 0xf4) {
        const unsigned char lo = p[0] == 0xf0 ? 0x90 : 0x80;
        const unsigned char hi = p[0] == 0xf4 ? 0x8f : 0xbf;
        return left >= 4 && p[1] >= lo && p[1] <= hi && (p[2] & 0xc0) == 0x80 &&
                       (p[3] & 0xc0) == 0x80
                   ? 4
                   : 0;
    }
    return 0;
}

bool utf8_is_valid(const char *text, size_t len, size_t *n_chars)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t n = 0;
    size_t i = 0;
    while (i < len) {
        const size_t step = utf8_length(p + i, len - i);
        if (step == 0)
            break;
        i += step;
        n++;
    }
    if (n_chars != NULL)
        *n_chars = n;
    return i == len;
}

void utf8_clean(char *text)
{
    const size_t n = strlen(text);
    for (size_t i = 0, step; i < n; i += step) {
        step = utf8_length((const unsigned char *)text + i, n - i);
        if (step == 0) {
            text[i] = '?';
            step = 1;
        }
    }
}
