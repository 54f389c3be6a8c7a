/* Readings that come in while the server runs, by line protocol or MQTT: from the sender's names to
 * rows of the journal. The way of a batch: live_batch_new(), live_add() or live_add_lines() on any
 * thread, live_write() on the writer, live_publish() once that is on disk, live_batch_free(). Names
 * that were seen before cost one look into a shared table and no query. */
#ifndef APP_INGEST_LIVE_H
#define APP_INGEST_LIVE_H

#include "app/base/status.h"
#include "app/ingest/limits.h"
#include "app/ingest/line_protocol.h"
#include "db/reading_store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arrivals;
struct db;
struct live;
struct live_batch;

struct live_options {
    struct lp_mapping mapping; /* its texts outlive the live */
    struct ingest_limits limits;
    const char *class_name;    /* of assets that are made; outlives the live */
    struct arrivals *arrivals; /* counts how readings come in; NULL = nobody does */
    bool may_skip_text;        /* line protocol: a field with text is left out, else refused */
};

enum ft_status live_new(const struct live_options *options, struct live **out, struct ft_err *err);
void live_free(struct live *l); /* NULL is fine */

struct live_stats {
    int64_t n_readings;  /* taken, repeats included */
    int64_t n_unchanged; /* of them: stood there already */
    int64_t n_refused;   /* readings and lines that could not be taken */
    int64_t n_text;      /* fields with text that were left out */
    int64_t n_series;    /* spellings known */
};
void live_stats(struct live *l, struct live_stats *out);

/* --- a batch --------------------------------------------------------------------------------- */

enum ft_status live_batch_new(struct live *l, struct live_batch **out, struct ft_err *err);
void live_batch_free(struct live_batch *b);  /* NULL is fine */
void live_batch_clear(struct live_batch *b); /* empty again, with its memory */
/* Readings; after live_write() those that were good. */
size_t live_batch_count(const struct live_batch *b);

/* Adds one reading; place is a number (line, message) for the answer. FT_NOMEM; what is wrong with
 * the reading itself becomes a refusal of the batch. */
enum ft_status live_add(struct live_batch *b, const char *asset, const char *sensor, int64_t ts_ms,
                        double value, size_t place, int64_t now_ms, struct ft_err *err);

/* The same by a key that stands for (asset, sensor), so that known keys need no names: true when
 * the key is known and the reading was added or refused. Else call live_add_named(). */
bool live_add_key(struct live_batch *b, const char *key, size_t key_len, int64_t ts_ms,
                  double value, size_t place, int64_t now_ms);
enum ft_status live_add_named(struct live_batch *b, const char *key, size_t key_len,
                              const char *asset, const char *sensor, int64_t ts_ms, double value,
                              size_t place, int64_t now_ms, struct ft_err *err);

/* Adds every line of a text in line protocol. A wrong line is refused, the others are taken.
 * FT_NOMEM. */
enum ft_status live_add_lines(struct live_batch *b, const char *text, size_t len,
                              enum lp_precision precision, int64_t now_ms, struct ft_err *err);

/* Refuses something that never became a reading; raw is what came (may be no text at all). */
void live_refuse(struct live_batch *b, size_t place, const char *raw, size_t raw_len,
                 const char *reason);

enum { LIVE_MAX_REFUSALS = 100 };
struct live_refusal {
    size_t place;
    char reason[160];
    char raw[200];
};
/* The first LIVE_MAX_REFUSALS of *n_all refusals; *n of them. */
const struct live_refusal *live_refusals(const struct live_batch *b, size_t *n, size_t *n_all);

/* In a transaction on the writer: makes what the policy allows, writes what is good, puts refusals
 * into the quarantine under source. FT_OK even when all was refused. May be called again when the
 * transaction was lost; but FT_BUSY means that a name has lost its sensor: the batch is made anew.
 */
enum ft_status live_write(struct live_batch *b, struct db *db, const char *source, int64_t now_ms,
                          struct ft_err *err);

/* The transaction of live_write() stands: new names are shared and the readings counted. */
void live_publish(struct live_batch *b);

#endif
