/* A codebook: how often the values of one sensor of a class occur, learnt from many assets at once.
 * A short block cannot carry such a table of its own; with a shared one it is coded close to the
 * entropy of the values. No SQL.
 *
 * A decimal value is the whole number m = value * 10^digits; m >> shift is its symbol, the low
 * shift bits follow as they are. Symbols are coded by rANS (J. Duda 2013, arXiv:1311.2540;
 * byte-wise as in F. Giesen's rans_byte) with frequencies out of CODEBOOK_SLOTS. What is no such
 * value is an escape and follows as a double.
 *
 * Stored form, version 1: byte version, byte digits, byte shift, varint n; n zigzag varints:
 * symbols, each as the difference from the one before (first: 0); n + 1 varints: frequencies, the
 * last is that of the escape. Coded values: varint length of the rANS bytes, the bytes; low bits of
 * all values that are no escapes, lowest bit first, padded to a byte; 8 bytes for each escape. */
#ifndef DB_CODEBOOK_H
#define DB_CODEBOOK_H

#include "app/base/status.h"
#include "db/varint.h"

#include <stddef.h>
#include <stdint.h>

enum {
    CODEBOOK_BITS = 14,
    CODEBOOK_SLOTS = 1 << CODEBOOK_BITS,
    CODEBOOK_MAX_SYMBOLS = 1024,
    CODEBOOK_MAX_SHIFT = 40,
    CODEBOOK_DENSE = 4096,
    CODEBOOK_MAX_N = 2048 /* values coded in one go; longer blocks carry their own statistics */
};

struct codebook {
    int64_t id; /* row of the database; the codec does not use it */
    unsigned digits, shift;
    size_t n;                                 /* symbols */
    int64_t symbol[CODEBOOK_MAX_SYMBOLS];     /* growing */
    uint16_t freq[CODEBOOK_MAX_SYMBOLS + 1];  /* of symbol i; [n] is the escape */
    uint16_t start[CODEBOOK_MAX_SYMBOLS + 1]; /* first slot */
    uint16_t symbol_of[CODEBOOK_SLOTS];       /* by slot */
    uint16_t dense[CODEBOOK_DENSE]; /* symbol[0] + i -> its number + 1; 0 = none: symbols close to
                                       each other are found without a search */
};

/* Learns from n whole numbers (sorted in place), which had that many digits. The caller frees *out.
 * FT_TOO_FEW: n is 0. FT_NOMEM. */
enum ft_status codebook_build(int64_t *m, size_t n, unsigned digits, struct codebook **out,
                              struct ft_err *err);

/* Coded form of n <= CODEBOOK_MAX_N values: is_number[i] says whether m[i] stands for value[i],
 * else it is an escape. out has room for codebook_bound(n) bytes; returns the place behind them. */
size_t codebook_bound(size_t n);
unsigned char *codebook_encode(const struct codebook *b, const int64_t *m,
                               const unsigned char *is_number, const double *value, size_t n,
                               unsigned char *out);

/* Reads n values; a problem sticks in the cursor. Any bytes are safe. power: 10^digits. */
void codebook_decode(const struct codebook *b, struct cursor *c, double power, double *value,
                     size_t n);

/* Stored form. The caller frees *out. */
enum ft_status codebook_save(const struct codebook *b, unsigned char **out, size_t *len,
                             struct ft_err *err);
enum ft_status codebook_load(const unsigned char *p, size_t len, struct codebook **out,
                             struct ft_err *err);

#endif
