/* UTF-8 as Unicode 15, table 3-7 has it: no overlong forms, no surrogates, nothing above U+10FFFF.
 */
#ifndef APP_BASE_UTF8_H
#define APP_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the valid sequence at p (1..4), or 0. left > 0 bytes may be read. */
size_t utf8_length(const unsigned char *p, size_t left);

/* Is the whole text valid? Counts its characters into *n_chars (may be NULL) up to the first wrong
 * byte. */
bool utf8_is_valid(const char *text, size_t len, size_t *n_chars);

/* Puts ? in the place of every byte that is no part of a valid sequence: for texts that were cut or
 * came from outside and are shown. */
void utf8_clean(char *text);

#endif
