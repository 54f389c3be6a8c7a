/* Numbers as CSV files hold them. The result is the double nearest to the decimal text, the same
 * that strtod() gives, and printing gives the shortest text that reads back as the same double. */
#ifndef APP_INGEST_NUMBER_H
#define APP_INGEST_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

#define NUMBER_TEXT_SIZE 32

/* "-12.5e3" with the decimal mark '.' or ','; blanks around it are fine. false: not a finite
 * decimal number (no hexadecimal, no infinity, no NaN, no thousands separators), or longer than
 * 1,000 bytes. */
bool number_parse(const char *p, size_t len, char decimal, double *out);
/* The same, faster, when the 16 bytes before p may be read, whatever they are. */
bool number_parse_roomy(const char *p, size_t len, char decimal, double *out);

/* Empty, blanks, NA, N/A, NaN, null, none or nil in any case: no value was measured. */
bool number_is_missing(const char *p, size_t len);

/* Shortest of %.15g, %.16g, %.17g that reads back as v; NaN is "". Returns the length. */
size_t number_format(double v, char out[NUMBER_TEXT_SIZE]);

#endif
