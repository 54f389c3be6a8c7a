"""Writes app/ingest/number_powers.h: powers of five in 128 bits, normalised so that the top bit is set.
A power of at least one is cut off, a reciprocal is rounded up; that is what the proof in Lemire,
"Number parsing at a gigabyte per second" (2021), section 7, and Mushtak and Lemire (2022) ask for.
Run: python3 tests/golden/number_powers.py > app/ingest/number_powers.h"""
MAX = 64


def power_of_five(q):
    if q >= 0:
        v = 5 ** q
        while v < 1 << 127:
            v *= 2
        while v >= 1 << 128:
            v //= 2
        return v
    p = 5 ** -q
    z = (p - 1).bit_length()
    b = z + 127 if q >= -27 else 2 * z + 128
    v = 2 ** b // p + 1
    while v >= 1 << 128:
        v //= 2
    return v


print("""/* Made by tests/golden/number_powers.py: 5^q for q from -64 to 64, 128 bits with the top bit set, upper
 * half first. */
#ifndef APP_INGEST_NUMBER_POWERS_H
#define APP_INGEST_NUMBER_POWERS_H

#include <stdint.h>

enum { NUMBER_MAX_POWER = %d };

static const uint64_t number_powers[2 * NUMBER_MAX_POWER + 1][2] = {""" % MAX)
for q in range(-MAX, MAX + 1):
    v = power_of_five(q)
    print(f"    {{UINT64_C(0x{v >> 64:016x}), UINT64_C(0x{v & (1 << 64) - 1:016x})}}, /* {q} */")
print("};\n\n#endif")
