/* The file is read in blocks of some MiB; each block is cut at line ends into pieces that the pool
 * parses at the same time, and the parsed pieces are written in chunks by the calling thread. A
 * block with a quote in it may hold line ends inside fields, so it is parsed in one piece. */
#include "app/ingest/import.h"

#include "app/base/clock.h"
#include "app/base/pool.h"
#include "app/ingest/csv.h"
#include "app/ingest/limits.h"
#include "app/ingest/readings_chunk.h"
#include "db/db.h"
#include "db/import_store.h"
#include "db/reading_store.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_PIECES = 64, MIN_PIECE = 256 * 1024 };

/* One block while the pool parses it. */
struct block {
    const struct readings_layout *layout;
    struct when *whens; /* [MAX_PIECES] a cache of days for each piece's place, kept over blocks */
    const char *begin[MAX_PIECES + 1]; /* piece i is [begin[i], begin[i + 1]) */
    size_t n_pieces;
    bool is_last;
    struct rows_memory memory[MAX_PIECES];
    struct readings_batch batches[MAX_PIECES];
};

static void parse_piece(void *ctx, size_t i)
{
    struct block *b = ctx;
    const bool is_last = b->is_last && i + 1 == b->n_pieces;
    readings_batch_parse(b->layout, &b->whens[i], b->begin[i], b->begin[i + 1], is_last,
                         b->memory[i], &b->batches[i]);
}

/* Cuts bytes at line ends into pieces of about equal length. */
static void cut_pieces(struct block *b, struct csv_field bytes, bool is_last, size_t n_threads)
{
    const char *end = bytes.p + bytes.len;
    size_t n = bytes.len / MIN_PIECE < n_threads ? bytes.len / MIN_PIECE : n_threads;
    n = n > MAX_PIECES ? MAX_PIECES : n;
    if (n < 2 || memchr(bytes.p, '"', bytes.len) != NULL)
        n = 1;
    b->is_last = is_last;
    b->begin[0] = bytes.p;
    b->n_pieces = 0;
    for (size_t i = 1; i < n; i++) {
        const char *from = bytes.p + bytes.len / n * i;
        if (from < b->begin[b->n_pieces])
            continue;
        const char *line_end = memchr(from, '\n', (size_t)(end - from));
        if (line_end == NULL)
            break;
        b->begin[++b->n_pieces] = line_end + 1;
    }
    b->begin[++b->n_pieces] = end;
}

/* Parses one block and moves its batches into the chunk. *n_lines grows by the lines of the block.
 */
static enum ft_status parse_block(struct block *b, struct csv_reader *reader,
                                  const struct import_options *o, struct readings_chunk *chunk,
                                  int64_t *line, bool *is_end, struct ft_err *err)
{
    struct csv_field bytes;
    bool is_last = false;
    enum ft_status st = csv_reader_peek(reader, &bytes, &is_last, err);
    if (st != FT_OK)
        return st;
    cut_pieces(b, bytes, is_last, o->pool != NULL ? pool_n_threads(o->pool) : 1);
    for (size_t i = 0; i < b->n_pieces; i++)
        b->memory[i] = readings_chunk_take_memory(chunk);
    if (b->n_pieces > 1)
        pool_run(o->pool, b->n_pieces, parse_piece, b);
    else
        parse_piece(b, 0);
    size_t n_used = 0;
    for (size_t i = 0; i < b->n_pieces; i++) {
        struct readings_batch *batch = &b->batches[i];
        const size_t n_lines = batch->n_lines;
        if (st == FT_OK && batch->status != FT_OK)
            st = ft_fail(err, batch->status, "%s", batch->err.msg);
        n_used = (size_t)(b->begin[i] - bytes.p) + batch->n_used;
        if (st == FT_OK)
            st = readings_chunk_add(chunk, batch, *line, err);
        *line += (int64_t)n_lines;
        readings_batch_free(batch);
    }
    csv_reader_skip(reader, n_used, 0);
    *is_end = is_last && n_used == bytes.len;
    return st;
}

static enum ft_status read_all(struct csv_reader *reader, struct db *db,
                               const struct import_options *o, struct readings_chunk *chunk,
                               int64_t first_line, struct ft_err *err)
{
    const int64_t memory = o->memory > 0 ? o->memory : IMPORT_DEFAULT_MEMORY;
    const struct input *in = csv_reader_input(reader);
    enum ft_status st = FT_OK;
    bool is_end = false;
    struct block *b = calloc(1, sizeof(*b));
    struct when *whens = calloc(MAX_PIECES, sizeof(*whens));
    if (b == NULL || whens == NULL)
        st = ft_fail(err, FT_NOMEM, "no memory to read a block");
    for (size_t i = 0; st == FT_OK && i < MAX_PIECES; i++)
        whens[i].cycle_ms = o->cycle_ms;
    while (st == FT_OK && !is_end) {
        b->layout = chunk->layout;
        b->whens = whens;
        st = parse_block(b, reader, o, chunk, &first_line, &is_end, err);
        if (st == FT_OK && o->is_stopped != NULL && o->is_stopped())
            st = ft_fail(err, FT_INTERRUPTED, "interrupted");
        if (st == FT_OK && (is_end || readings_chunk_is_full(chunk, (size_t)memory)))
            st = readings_chunk_write(chunk, db, err);
        if (o->progress != NULL)
            o->progress(o->ctx, input_position(in), input_size(in));
    }
    free(whens);
    free(b);
    /* A part that could not be kept is what the user must hear of, whatever else came after it. */
    const enum ft_status settled = readings_chunk_settle(chunk, err);
    return settled != FT_OK ? settled : st;
}

static enum ft_status finish(struct db *db, int64_t import_id, const struct import_summary *s,
                             struct ft_err *err)
{
    const struct import_row row = {.id = import_id,
                                   .file = (char *)s->file,
                                   .kind = (char *)s->kind,
                                   .ended_ms = clock_now_ms(),
                                   .n_rows = s->n_rows,
                                   .n_new = s->n_new + s->n_changed,
                                   .n_unchanged = s->n_unchanged,
                                   .n_bad = s->n_bad};
    enum ft_status st = db_begin(db, err); /* one commit for both */
    if (st != FT_OK)
        return st;
    st = reading_seal(db, err); /* the file is smallest so */
    if (st == FT_OK)
        st = import_finish(db, &row, err);
    if (st == FT_OK)
        return db_commit(db, err);
    db_rollback(db);
    return st;
}

enum ft_status import_readings(struct db *db, const char *file, const struct import_options *o,
                               struct import_summary *out, struct ft_err *err)
{
    const double start_s = clock_mono_s();
    struct csv_reader *reader = NULL;
    struct readings_layout layout = {0};
    struct readings_chunk chunk;
    *out = (struct import_summary){.file = file,
                                   .kind = "readings",
                                   .first_ms = DB_NO_TIME,
                                   .last_ms = DB_NO_TIME,
                                   .is_dry_run = o->is_dry_run};
    enum ft_status st = FT_OK;
    if (o->class_name != NULL)
        st = ingest_check_name("--class", o->class_name, strlen(o->class_name), err);
    if (st == FT_OK)
        st = csv_reader_open(file, o->delimiter, o->is_stopped, &reader, err);
    if (st == FT_OK)
        st = readings_layout_read(reader, o, &layout, err);
    if (st != FT_OK) {
        csv_reader_close(reader);
        return st;
    }
    out->mapping = readings_layout_to_json(&layout);
    readings_chunk_init(&chunk, &layout, o, out);
    if (!o->is_dry_run)
        st = import_start(db, file, "readings", &chunk.import_id, err);
    if (st == FT_OK)
        st = read_all(reader, db, o, &chunk, csv_reader_next_line(reader), err);
    if (st == FT_OK && !o->is_dry_run)
        st = finish(db, chunk.import_id, out, err);
    /* Small whole numbers read as seconds after 1970: most likely they count something else. */
    if (st == FT_OK && o->cycle_ms == 0 && out->last_ms != DB_NO_TIME &&
        out->last_ms < 365 * MS_PER_DAY && out->first_ms >= 0)
        import_say(o, "%s: all times lie in 1970: if %s counts cycles, say --cycle 1d", file,
                   layout.columns.names[layout.time_col]);
    readings_chunk_free(&chunk);
    readings_layout_free(&layout);
    csv_reader_close(reader);
    out->seconds = clock_mono_s() - start_s;
    return st == FT_OK ? import_outcome(out, err) : st;
}
