/* Numbers of life data in words for people. */
#ifndef APP_LIFE_WORDS_H
#define APP_LIFE_WORDS_H

/* 26,297 or 493.05 or 0.003462: five digits, no powers of ten in the usual range; "unknown" for
 * NaN. Returns out. */
const char *life_number(double v, char out[40]);

#endif
