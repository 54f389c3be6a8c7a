/* Raw waveforms into readings: each block of samples becomes one reading of each of SENSOR_rms,
 * _peak, _crest, _kurtosis, _LOW_HIGHhz (RMS in a band) and _env_LOW_HIGHhz (RMS of the envelope in
 * a band), see models/waveform.h. The samples themselves are not kept. */
#ifndef APP_WAVEFORM_IMPORT_H
#define APP_WAVEFORM_IMPORT_H

#include "app/waveform_file.h"
#include "models/waveform.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

struct db;

#define WAVEFORM_FILE_MAX ((size_t)1 << 30) /* bytes of one file, decompressed */

struct waveform_import_options {
    const char *asset, *sensor;
    const char *class_name; /* of an asset that is new */
    struct waveform_plan plan;
    struct waveform_file_options file;
    int64_t at_ms;    /* instant of the first sample of the first file; DB_NO_TIME = when each file
                       * was last changed */
    int64_t every_ms; /* from file to file when at_ms is given; 0 = the files follow each other */
    size_t block_n;   /* samples of a block; 0 = each file is one. What is left over is left out */
    bool is_dry_run;
    bool (*is_stopped)(void);
};

/* "10-1000,1000-5000" into bands. FT_INVALID. */
enum ft_status waveform_bands_parse(const char *text, struct waveform_band *out, size_t *n,
                                    struct ft_err *err);

/* Reads the files in order, one transaction for each. {"files","samples","left_over","blocks",
 * "rate_hz","first","last","sensors":[name],"new","known","last_values":{name: value},
 * "dry_run"}; the caller frees *out. FT_INVALID, FT_TOO_FEW and others name the file. */
enum ft_status waveform_import(struct db *db, const char *const *files, size_t n_files,
                               const struct waveform_import_options *options, cJSON **out,
                               struct ft_err *err);

#endif
