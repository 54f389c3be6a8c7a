/* Where the files of a model lay when it was made. The model itself records names without folders,
 * so that the same data gives the same bytes anywhere; the places stand in a small file beside it,
 * MODEL.source, which only `fettle replay` reads and which may be missing. */
#ifndef APP_FIT_SOURCE_H
#define APP_FIT_SOURCE_H

#include "app/fit_job.h"

#define FIT_SOURCE_MAX 5 /* table, label, event, group, time */

/* Writes MODEL.source. FT_IO, FT_NOMEM. */
enum ft_status fit_source_write(const struct fit_request *q, const char *model_path,
                                struct ft_err *err);

/* Places of the n files called names[]: as MODEL.source says, else here, else beside the model; the
 * first of these where there is a file. The caller frees each place[i]. FT_NOT_FOUND names the file
 * that is in none of them; FT_NOMEM. */
enum ft_status fit_source_find(const char *model_path, const char *const *names, size_t n,
                               char **place, struct ft_err *err);

#endif
