/* calibration_read() and conformal_read() on any text; a map that was taken must be monotone. */
#include "models/calibrate.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct calibration *c = NULL;
    struct conformal *band = NULL;
    struct buf b;
    buf_init(&b, 1 << 24);
    if (calibration_read((const char *)data, size, &c, NULL) == FT_OK) {
        double before = 0;
        for (double s = -64; s <= 64; s += 0.5) {
            const double p = calibration_apply(c, s);
            if (!(p >= before - 1e-12) || !(p <= 1))
                abort();
            before = p;
        }
        calibration_write(c, &b);
    }
    if (conformal_read((const char *)data, size, &band, NULL) == FT_OK) {
        for (double p = -64; p <= 64; p += 1) {
            double lower = 0, upper = 0;
            conformal_interval(band, p, &lower, &upper);
            if (!(lower <= upper))
                abort();
        }
        conformal_write(band, &b);
    }
    buf_free(&b);
    calibration_free(c);
    conformal_free(band);
    return 0;
}
