/* Series as they are spelled outside -> a number inside. A plain hash table with its own copies of
 * the keys; the owner looks after threads. */
#ifndef APP_INGEST_SERIES_MAP_H
#define APP_INGEST_SERIES_MAP_H

#include "app/base/status.h"

#include <stddef.h>
#include <stdint.h>

struct series_map;

/* Holds at most max_n keys. The hash is keyed by seed, so that nobody outside can aim at one
 * place. */
enum ft_status series_map_new(size_t max_n, uint64_t seed, struct series_map **out,
                              struct ft_err *err);
void series_map_free(struct series_map *m); /* NULL is fine */
void series_map_clear(struct series_map *m);
size_t series_map_count(const struct series_map *m);

/* A key is two texts: what names the series (hashed once for many fields) and the field. */
uint64_t series_map_hash(const struct series_map *m, const char *series, size_t len);

/* Number of the key; 0 when it is not there. hash is series_map_hash() of the series. */
int64_t series_map_find(const struct series_map *m, uint64_t hash, const char *series, size_t len,
                        const char *field, size_t field_len);

/* Adds the key, which is not there yet. When the table is full all keys go first: a key that comes
 * again is only slower. FT_NOMEM leaves the table as it was. */
enum ft_status series_map_add(struct series_map *m, uint64_t hash, const char *series, size_t len,
                              const char *field, size_t field_len, int64_t id, struct ft_err *err);

#endif
