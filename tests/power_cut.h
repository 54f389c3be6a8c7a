/* A VFS that records what SQLite asks of the disk, and makes the files as a power cut may leave
 * them: what was synced stands, of what was not synced any part may be there, in any order, writes
 * torn at sectors of 512 bytes. Files ending in -shm are no part of it: they do not outlive the
 * power.
 *
 *     power_cut_start();                from here on all files are opened through the recorder
 *     ... work; power_cut_mark() after each acknowledged step ...
 *     power_cut_stop();
 *     power_cut_each(seed, n_cuts, folder, check, ctx);   n cuts, each handed to check() */
#ifndef TESTS_POWER_CUT_H
#define TESTS_POWER_CUT_H

#include "app/base/rng.h"

#include "db/connection.h" /* the door to sqlite3.h */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CUT_FILES = 64, CUT_SECTOR = 512 };
enum cut_kind { CUT_CREATE, CUT_WRITE, CUT_TRUNCATE, CUT_SYNC, CUT_DELETE, CUT_MARK };

struct cut_op {
    enum cut_kind kind;
    int file; /* index of its name */
    int64_t offset;
    size_t len;
    unsigned char *bytes; /* owned */
};

static struct {
    sqlite3_vfs vfs, *real;
    char *names[CUT_FILES]; /* base names */
    int n_names;
    struct cut_op *ops;
    size_t n_ops, cap;
    size_t n_first; /* operations before the first cut: set it when the files are made */
    bool is_recording;
} cut;

struct cut_handle {
    sqlite3_file base;
    int file; /* -1 = not recorded */
    sqlite3_file *real;
};

static int cut_name(const char *path)
{
    const char *base = path != NULL ? strrchr(path, '/') : NULL;
    if (base == NULL)
        return -1;
    base++;
    const size_t len = strlen(base);
    if (len > 4 && strcmp(base + len - 4, "-shm") == 0)
        return -1;
    for (int i = 0; i < cut.n_names; i++)
        if (strcmp(cut.names[i], base) == 0)
            return i;
    if (cut.n_names == CUT_FILES)
        abort();
    cut.names[cut.n_names] = strdup(base);
    return cut.n_names++;
}

static void cut_record(enum cut_kind kind, int file, int64_t offset, const void *bytes, size_t len)
{
    if (!cut.is_recording || (file < 0 && kind != CUT_MARK))
        return;
    if (cut.n_ops == cut.cap) {
        cut.cap = cut.cap == 0 ? 4096 : cut.cap * 2;
        cut.ops = realloc(cut.ops, cut.cap * sizeof(*cut.ops));
        if (cut.ops == NULL)
            abort();
    }
    struct cut_op *op = &cut.ops[cut.n_ops++];
    *op = (struct cut_op){.kind = kind, .file = file, .offset = offset, .len = len};
    if (bytes != NULL) {
        op->bytes = malloc(len);
        if (op->bytes == NULL)
            abort();
        memcpy(op->bytes, bytes, len);
    }
}

static void power_cut_mark(void)
{
    cut_record(CUT_MARK, -1, 0, NULL, 0);
}

#define CUT_REAL(f) (((struct cut_handle *)(f))->real)
#define CUT_FILE(f) (((struct cut_handle *)(f))->file)

static int cut_close(sqlite3_file *f)
{
    return CUT_REAL(f)->pMethods->xClose(CUT_REAL(f));
}
static int cut_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
    return CUT_REAL(f)->pMethods->xRead(CUT_REAL(f), p, n, at);
}
static int cut_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
    cut_record(CUT_WRITE, CUT_FILE(f), at, p, (size_t)n);
    return CUT_REAL(f)->pMethods->xWrite(CUT_REAL(f), p, n, at);
}
static int cut_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    cut_record(CUT_TRUNCATE, CUT_FILE(f), size, NULL, 0);
    return CUT_REAL(f)->pMethods->xTruncate(CUT_REAL(f), size);
}
static int cut_sync(sqlite3_file *f, int flags)
{
    (void)flags; /* the real disk need not wait: the model is what counts */
    cut_record(CUT_SYNC, CUT_FILE(f), 0, NULL, 0);
    return SQLITE_OK;
}
static int cut_size(sqlite3_file *f, sqlite3_int64 *size)
{
    return CUT_REAL(f)->pMethods->xFileSize(CUT_REAL(f), size);
}
static int cut_lock(sqlite3_file *f, int level)
{
    return CUT_REAL(f)->pMethods->xLock(CUT_REAL(f), level);
}
static int cut_unlock(sqlite3_file *f, int level)
{
    return CUT_REAL(f)->pMethods->xUnlock(CUT_REAL(f), level);
}
static int cut_reserved(sqlite3_file *f, int *out)
{
    return CUT_REAL(f)->pMethods->xCheckReservedLock(CUT_REAL(f), out);
}
static int cut_control(sqlite3_file *f, int op, void *arg)
{
    return CUT_REAL(f)->pMethods->xFileControl(CUT_REAL(f), op, arg);
}
static int cut_sector(sqlite3_file *f)
{
    (void)f;
    return CUT_SECTOR;
}
static int cut_features(sqlite3_file *f)
{
    (void)f;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE; /* as SQLite takes it for unix disks */
}
static int cut_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out)
{
    return CUT_REAL(f)->pMethods->xShmMap(CUT_REAL(f), page, size, extend, out);
}
static int cut_shm_lock(sqlite3_file *f, int at, int n, int flags)
{
    return CUT_REAL(f)->pMethods->xShmLock(CUT_REAL(f), at, n, flags);
}
static void cut_shm_barrier(sqlite3_file *f)
{
    CUT_REAL(f)->pMethods->xShmBarrier(CUT_REAL(f));
}
static int cut_shm_unmap(sqlite3_file *f, int is_delete)
{
    return CUT_REAL(f)->pMethods->xShmUnmap(CUT_REAL(f), is_delete);
}

static const sqlite3_io_methods cut_methods = {
    .iVersion = 2,
    .xClose = cut_close,
    .xRead = cut_read,
    .xWrite = cut_write,
    .xTruncate = cut_truncate,
    .xSync = cut_sync,
    .xFileSize = cut_size,
    .xLock = cut_lock,
    .xUnlock = cut_unlock,
    .xCheckReservedLock = cut_reserved,
    .xFileControl = cut_control,
    .xSectorSize = cut_sector,
    .xDeviceCharacteristics = cut_features,
    .xShmMap = cut_shm_map,
    .xShmLock = cut_shm_lock,
    .xShmBarrier = cut_shm_barrier,
    .xShmUnmap = cut_shm_unmap,
};

static int cut_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *f, int flags, int *out_flags)
{
    struct cut_handle *h = (struct cut_handle *)f;
    (void)vfs;
    h->real = (sqlite3_file *)(h + 1);
    h->file = cut_name(path);
    const int rc = cut.real->xOpen(cut.real, path, h->real, flags, out_flags);
    h->base.pMethods = h->real->pMethods != NULL ? &cut_methods : NULL;
    if (rc == SQLITE_OK && (flags & SQLITE_OPEN_CREATE) != 0)
        cut_record(CUT_CREATE, h->file, 0, NULL, 0);
    return rc;
}

static int cut_delete(sqlite3_vfs *vfs, const char *path, int sync_dir)
{
    (void)vfs;
    cut_record(CUT_DELETE, cut_name(path), sync_dir, NULL, 0);
    return cut.real->xDelete(cut.real, path, 0);
}

static void power_cut_start(void)
{
    cut.real = sqlite3_vfs_find(NULL);
    cut.vfs = *cut.real;
    cut.vfs.zName = "power-cut";
    cut.vfs.szOsFile = (int)sizeof(struct cut_handle) + cut.real->szOsFile;
    cut.vfs.xOpen = cut_open;
    cut.vfs.xDelete = cut_delete;
    sqlite3_vfs_register(&cut.vfs, 1);
    cut.is_recording = true;
}

static void power_cut_stop(void)
{
    cut.is_recording = false;
    sqlite3_vfs_register(cut.real, 1);
    sqlite3_vfs_unregister(&cut.vfs);
}

/* --- the disk as it may be found --- */

struct cut_image {
    unsigned char *bytes;
    size_t size, cap;
    bool exists;
};

static void cut_resize(struct cut_image *m, size_t size)
{
    if (size > m->cap) {
        m->cap = size * 2;
        m->bytes = realloc(m->bytes, m->cap);
        if (m->bytes == NULL)
            abort();
    }
    if (size > m->size)
        memset(m->bytes + m->size, 0, size - m->size);
    m->size = size;
}

/* Applies one operation; a torn write brings only some of its sectors. */
static void cut_apply(struct cut_image *m, const struct cut_op *op, uint64_t tear)
{
    if (op->kind == CUT_CREATE)
        m->exists = true;
    if (op->kind == CUT_DELETE)
        *m = (struct cut_image){.bytes = m->bytes, .cap = m->cap};
    if (op->kind == CUT_TRUNCATE)
        cut_resize(m, (size_t)op->offset);
    if (op->kind != CUT_WRITE)
        return;
    for (size_t at = 0; at < op->len;) {
        const size_t in_sector = ((size_t)op->offset + at) % CUT_SECTOR;
        size_t n = CUT_SECTOR - in_sector;
        n = n < op->len - at ? n : op->len - at;
        if (tear == 0 || rng_below(tear, at, 1, 2) == 0) {
            const size_t end = (size_t)op->offset + at + n;
            if (end > m->size)
                cut_resize(m, end);
            memcpy(m->bytes + op->offset + at, op->bytes + at, n);
        }
        at += n;
    }
}

/* Writes the files as a cut before operation number at may leave them. durable[]: all that was
 * synced; pending[file]: first operation of the file after its last sync. */
static void cut_leave(uint64_t seed, size_t at, const struct cut_image *durable,
                      const size_t *pending, const char *folder)
{
    const uint64_t manner = rng_below(seed, at, 0, 4); /* none, all, some, some and torn */
    for (int f = 0; f < cut.n_names; f++) {
        char path[512];
        struct cut_image m = {.exists = durable[f].exists};
        cut_resize(&m, durable[f].size);
        if (m.size > 0)
            memcpy(m.bytes, durable[f].bytes, m.size);
        for (size_t i = pending[f]; i < at; i++) {
            const struct cut_op *op = &cut.ops[i];
            if (op->file != f || op->kind == CUT_SYNC)
                continue;
            const uint64_t draw = rng_u64(seed, at, 1 + i);
            if (op->kind == CUT_CREATE || manner == 1 || (manner >= 2 && draw % 2 == 0))
                cut_apply(&m, op, manner == 3 && draw % 3 == 0 ? draw : 0);
        }
        snprintf(path, sizeof(path), "%s/%s", folder, cut.names[f]);
        unlink(path);
        FILE *out = m.exists ? fopen(path, "wb") : NULL;
        if (m.exists && (out == NULL || fwrite(m.bytes, 1, m.size, out) != m.size))
            abort();
        if (out != NULL)
            fclose(out);
        free(m.bytes);
    }
}

/* What is pending of a file up to operation i is durable now. */
static void cut_settle(int file, size_t i, struct cut_image *durable, size_t *pending)
{
    for (size_t k = pending[file]; k <= i; k++)
        if (cut.ops[k].file == file)
            cut_apply(&durable[file], &cut.ops[k], 0);
    pending[file] = i + 1;
}

/* The first sync of a new file syncs its folder too (SQLite does so on unix): deletions before it
 * stand. */
static void cut_settle_folder(int file, size_t i, struct cut_image *durable, size_t *pending)
{
    bool is_new = false;
    for (size_t k = pending[file]; k < i; k++)
        is_new = is_new || (cut.ops[k].file == file && cut.ops[k].kind == CUT_CREATE);
    for (int f = 0; is_new && f < cut.n_names; f++)
        for (size_t k = i; k-- > pending[f];)
            if (cut.ops[k].file == f && cut.ops[k].kind == CUT_DELETE)
                cut_settle(f, k, durable, pending);
}

/* n_cuts cuts spread over the record; check() gets the number of marks before the cut. */
static void power_cut_each(uint64_t seed, size_t n_cuts, const char *folder,
                           void (*check)(void *ctx, size_t n_marks), void *ctx)
{
    static struct cut_image durable[CUT_FILES];
    static size_t pending[CUT_FILES];
    size_t n_marks = 0;
    size_t n_done = 0;
    for (size_t i = 0; i < cut.n_ops; i++) {
        const struct cut_op *op = &cut.ops[i];
        /* a cut here with the chance that gives the wanted number in all */
        if (i >= cut.n_first && n_done < n_cuts &&
            rng_below(seed, 99, i, cut.n_ops - i) < n_cuts - n_done) {
            cut_leave(seed, i, durable, pending, folder);
            check(ctx, n_marks);
            n_done++;
        }
        n_marks += op->kind == CUT_MARK;
        if (op->kind == CUT_SYNC)
            cut_settle_folder(op->file, i, durable, pending);
        if (op->kind == CUT_SYNC || (op->kind == CUT_DELETE && op->offset != 0))
            cut_settle(op->file, i, durable, pending);
    }
    for (int f = 0; f < cut.n_names; f++) {
        free(durable[f].bytes);
        free(cut.names[f]);
    }
    for (size_t i = 0; i < cut.n_ops; i++)
        free(cut.ops[i].bytes);
    free(cut.ops);
}

#endif
