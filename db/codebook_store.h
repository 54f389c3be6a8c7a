/* Private to db/: codebooks (db/codebook.h) of sensors that many assets of a class have. They are
 * learnt when many short blocks are sealed at once and never changed afterwards. */
#ifndef DB_CODEBOOK_STORE_H
#define DB_CODEBOOK_STORE_H

#include "app/base/status.h"
#include "db/codebook.h"

#include <stddef.h>
#include <stdint.h>

struct db;
struct codebook_shelf; /* of a connection: codebooks that were read */

/* The codebook of that id. FT_INVALID: it is missing or damaged. Valid until the shelf goes. */
enum ft_status codebook_get(struct db *db, int64_t id, const struct codebook **out,
                            struct ft_err *err);

/* That for the sensor, by the sensor's class and name; NULL: there is none. */
enum ft_status codebook_of_sensor(struct db *db, int64_t sensor_id, const struct codebook **out,
                                  struct ft_err *err);

/* Values of a sensor that are about to be sealed in a short block. */
struct codebook_sample {
    int64_t sensor_id;
    const double *value; /* [n] */
    size_t n;
};
/* Learns codebooks for classes and sensor names that have none yet and of which the samples hold
 * enough sensors and values. */
enum ft_status codebook_learn(struct db *db, const struct codebook_sample *samples, size_t n,
                              struct ft_err *err);

/* A transaction was taken back: what was learnt in it is forgotten. */
void codebook_forget(struct db *db);
void codebook_shelf_free(struct codebook_shelf *s); /* NULL is fine */

#endif
