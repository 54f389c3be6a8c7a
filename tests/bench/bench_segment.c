/* Speed and size of the codec of readings: bench_segment. One line per kind of data. */
#include "app/base/rng.h"
#include "db/segment.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

enum { N = SEGMENT_TARGET_N, ROUNDS = 400 };

/* Processor seconds: other work on the machine does not count. */
static double cpu_s(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static double make(int kind, size_t i)
{
    const double noise = rng_normal(7, (uint64_t)kind, i);
    switch (kind) {
    case 0: /* slow drift, two decimals */
        return round((60 + 5 * sin((double)i * 1e-3) + 0.2 * noise) * 100) / 100;
    case 1: /* noise, three decimals */
        return round((3 + noise) * 1000) / 1000;
    case 2: /* single precision */
        return (float)(100 + 10 * noise);
    case 3: /* full double precision */
        return 100 + 10 * noise;
    default: /* meter */
        return (double)i;
    }
}

int main(void)
{
    static const char *const names[] = {"drift, 2 decimals", "noise, 3 decimals",
                                        "single precision", "double precision", "meter"};
    static int64_t ts[N];
    static double v[N];
    struct segment_codec *codec;
    if (segment_codec_new(&codec, NULL) != FT_OK)
        return 1;
    for (int kind = 0; kind < 5; kind++) {
        struct reading_segment seg = {0};
        for (size_t i = 0; i < N; i++) {
            ts[i] = (int64_t)i * 60000;
            v[i] = make(kind, i);
        }
        double start = cpu_s();
        for (int r = 0; r < ROUNDS; r++) {
            segment_clear(&seg);
            if (segment_encode(codec, ts, v, N, &seg, NULL) != FT_OK)
                return 1;
        }
        const double encode_s = cpu_s() - start;
        start = cpu_s();
        for (int r = 0; r < ROUNDS; r++)
            if (segment_decode(codec, &seg, ts, v, NULL) != FT_OK)
                return 1;
        const double decode_s = cpu_s() - start;
        printf("%-20s encode %6.1f M/s  decode %6.1f M/s  %5.2f bytes a reading\n", names[kind],
               (double)N * ROUNDS / encode_s * 1e-6, (double)N * ROUNDS / decode_s * 1e-6,
               (double)seg.len / N);
        segment_clear(&seg);
    }
    segment_codec_free(codec);
    return 0;
}
