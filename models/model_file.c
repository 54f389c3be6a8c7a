/* The model file: lines of text and blocks of bytes whose length stands before them.
 *
 *   fettle-model 1
 *   kind gbdt
 *   task classify
 *   columns 60
 *   texts N
 *   text BYTES          then so many bytes "key=value" and a line end; keys in rising order
 *   body BYTES          then the kind's own text
 *   calibration BYTES   0 = none
 *   conformal BYTES     0 = none
 *   cross BYTES         only with a CV+ interval: its residuals, then N blocks "fold BYTES", the
 *                       bodies of the folds' models
 *   crc32 xxxxxxxx      of all bytes before this line (zlib's CRC-32)
 */
#include "models/model_private.h"

#include "app/base/utf8.h"
#include "models/text_io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { CRC_LINE = 15 }; /* "crc32 xxxxxxxx\n" */
static const size_t MAX_BYTES = (size_t)1 << 31;

static void crc_line(const char *text, size_t len, char out[CRC_LINE + 1])
{
    uLong crc = crc32_z(crc32_z(0, NULL, 0), (const Bytef *)text, len);
    snprintf(out, CRC_LINE + 1, "crc32 %08lx\n", crc & 0xffffffffUL);
}

/* --- writing ---------------------------------------------------------------------------------- */

/* One block: its length, its bytes. Takes and frees the block. */
static enum ft_status put_block(struct buf *out, const char *key, struct buf *block,
                                struct ft_err *err)
{
    const enum ft_status st = buf_status(block, err);
    if (st == FT_OK) {
        text_put_size(out, key, block->len);
        buf_put(out, block->data, block->len);
    }
    buf_free(block);
    return st;
}

static enum ft_status put_cross(const struct model *m, struct buf *out, struct ft_err *err)
{
    struct buf block;
    buf_init(&block, MAX_BYTES);
    conformal_cross_write(m->cross, &block);
    enum ft_status st = put_block(out, "cross", &block, err);
    for (size_t f = 0; f < m->n_folds && st == FT_OK; f++) {
        m->ops->write(m->folds[f]->fitted, &block);
        st = put_block(out, "fold", &block, err);
    }
    return st;
}

static enum ft_status put_parts(const struct model *m, struct buf *out, struct ft_err *err)
{
    struct buf block;
    buf_init(&block, MAX_BYTES);
    m->ops->write(m->fitted, &block);
    enum ft_status st = put_block(out, "body", &block, err);
    if (st == FT_OK && m->calibration != NULL)
        calibration_write(m->calibration, &block);
    if (st == FT_OK)
        st = put_block(out, "calibration", &block, err);
    if (st == FT_OK && m->conformal != NULL)
        conformal_write(m->conformal, &block);
    if (st == FT_OK)
        st = put_block(out, "conformal", &block, err);
    if (st == FT_OK && m->cross != NULL)
        st = put_cross(m, out, err);
    return st;
}

enum ft_status model_save(const struct model *m, struct buf *out, struct ft_err *err)
{
    char crc[CRC_LINE + 1];
    const size_t begin = out->len;
    text_put_size(out, "fettle-model", 1);
    text_put_word(out, "kind", model_kind_name(m->kind));
    text_put_word(out, "task", model_task_name(m->task));
    text_put_size(out, "columns", model_n_cols(m));
    text_put_size(out, "texts", m->n_texts);
    for (size_t i = 0; i < m->n_texts; i++) {
        const struct model_attachment *t = &m->texts[i];
        text_put_size(out, "text", strlen(t->key) + 1 + strlen(t->value));
        buf_printf(out, "%s=", t->key);
        buf_puts(out, t->value);
        buf_putc(out, '\n');
    }
    enum ft_status st = put_parts(m, out, err);
    if (st == FT_OK)
        st = buf_status(out, err);
    if (st != FT_OK)
        return st;
    crc_line(out->data + begin, out->len - begin, crc);
    buf_puts(out, crc);
    return buf_status(out, err);
}

/* --- reading ---------------------------------------------------------------------------------- */

struct block {
    const char *at;
    size_t len;
};

/* "key BYTES" and that many bytes. */
static enum ft_status take_block(struct text_reader *r, const char *key, struct block *b,
                                 struct ft_err *err)
{
    const enum ft_status st = text_get_size(r, key, MAX_BYTES, &b->len, err);
    if (st != FT_OK)
        return st;
    if (b->len > (size_t)(r->end - r->at))
        return ft_fail(err, FT_INVALID, "model file: %s is cut off", key);
    b->at = r->at;
    r->at += b->len;
    for (size_t i = 0; i < b->len; i++)
        r->line += b->at[i] == '\n';
    return FT_OK;
}

static enum ft_status read_text(struct text_reader *r, struct model *m, struct ft_err *err)
{
    struct block b;
    const enum ft_status st = take_block(r, "text", &b, err);
    if (st != FT_OK)
        return st;
    const char *equals = memchr(b.at, '=', b.len);
    const size_t key_len = equals != NULL ? (size_t)(equals - b.at) : 0;
    if (equals == NULL || !model_key_is_valid(b.at, key_len) || memchr(b.at, '\0', b.len) != NULL ||
        !utf8_is_valid(b.at, b.len, NULL) || r->at == r->end || *r->at != '\n')
        return ft_fail(err, FT_INVALID, "model file, line %zu: expected key=value in UTF-8",
                       r->line);
    r->at++;
    r->line++;
    char *key = strndup(b.at, key_len), *value = strndup(equals + 1, b.len - key_len - 1);
    struct model_attachment *grown = reallocarray(m->texts, m->n_texts + 1, sizeof(*grown));
    if (grown != NULL)
        m->texts = grown;
    if (key == NULL || value == NULL || grown == NULL) {
        free(key);
        free(value);
        return ft_fail(err, FT_NOMEM, "model file: no memory");
    }
    const char *before = m->n_texts > 0 ? m->texts[m->n_texts - 1].key : NULL;
    m->texts[m->n_texts++] = (struct model_attachment){key, value};
    if (before != NULL && strcmp(before, key) >= 0)
        return ft_fail(err, FT_INVALID, "model file: text '%s' is out of order", key);
    return FT_OK;
}

static enum ft_status read_head(struct text_reader *r, struct model *m, size_t *n_cols,
                                struct ft_err *err)
{
    static const char *const kind_words[] = {"gbdt",          "hazard_logit", "ridge",
                                             "cox",           "aft",          "weibull_age",
                                             "gbdt_survival", "gbdt_products"};
    enum { N_KINDS = sizeof(kind_words) / sizeof(kind_words[0]) };
    static const char *const task_words[] = {"classify", "regress", "survival"};
    size_t version = 0, kind = 0, task = 0, n_texts = 0;
    enum ft_status st = text_get_size(r, "fettle-model", 1000000, &version, err);
    if (st == FT_OK && version != 1)
        return ft_fail(err, FT_INVALID, "model file has version %zu, this program reads version 1",
                       version);
    if (st == FT_OK)
        st = text_get_word(r, "kind", kind_words, N_KINDS, &kind, err);
    if (st == FT_OK)
        st = text_get_word(r, "task", task_words, 3, &task, err);
    if (st == FT_OK)
        st = text_get_size(r, "columns", (size_t)1 << 24, n_cols, err);
    if (st == FT_OK)
        st = text_get_size(r, "texts", MODEL_MAX_TEXTS, &n_texts, err);
    if (st != FT_OK)
        return st;
    if (!model_kind_takes((enum model_kind)kind, (enum model_task)task))
        return ft_fail(err, FT_INVALID, "model file: kind %s with task %s", kind_words[kind],
                       task_words[task]);
    m->kind = (enum model_kind)kind;
    m->task = (enum model_task)task;
    m->ops = model_ops_of(m->kind);
    for (size_t i = 0; i < n_texts && st == FT_OK; i++)
        st = read_text(r, m, err);
    return st;
}

/* One model of a fold: the same kind, task and columns. */
static enum ft_status read_fold(struct text_reader *r, struct model *m, size_t n_cols,
                                struct ft_err *err)
{
    struct block b = {0};
    const enum ft_status st = take_block(r, "fold", &b, err);
    if (st != FT_OK)
        return st;
    struct model *fold = calloc(1, sizeof(*fold));
    if (fold == NULL)
        return ft_fail(err, FT_NOMEM, "model file: no memory");
    *fold = (struct model){.kind = m->kind, .task = m->task, .ops = m->ops};
    m->folds[m->n_folds++] = fold;
    const enum ft_status read = m->ops->read(b.at, b.len, &fold->fitted, err);
    if (read == FT_OK && (m->ops->n_cols(fold->fitted) != n_cols ||
                          (m->ops->fits_task != NULL && !m->ops->fits_task(fold->fitted, m->task))))
        return ft_fail(err, FT_INVALID, "model file: fold %zu has other columns", m->n_folds);
    return read;
}

/* A CV+ interval, when the file goes on. */
static enum ft_status read_cross(struct text_reader *r, struct model *m, size_t n_cols,
                                 struct ft_err *err)
{
    struct block b = {0};
    if (r->at == r->end)
        return FT_OK;
    enum ft_status st = take_block(r, "cross", &b, err);
    if (st == FT_OK && m->task != TASK_REGRESS)
        st = ft_fail(err, FT_INVALID, "model file: a CV+ interval with another task");
    if (st == FT_OK)
        st = conformal_cross_read(b.at, b.len, &m->cross, err);
    if (st != FT_OK)
        return st;
    const size_t n = conformal_cross_n_folds(m->cross);
    m->folds = calloc(n + 1, sizeof(struct model *));
    if (m->folds == NULL)
        return ft_fail(err, FT_NOMEM, "model file: no memory");
    for (size_t f = 0; f < n && st == FT_OK; f++)
        st = read_fold(r, m, n_cols, err);
    return st;
}

static enum ft_status read_parts(struct text_reader *r, struct model *m, size_t n_cols,
                                 struct ft_err *err)
{
    struct block body = {0}, calibration = {0}, conformal = {0};
    enum ft_status st = take_block(r, "body", &body, err);
    if (st == FT_OK)
        st = take_block(r, "calibration", &calibration, err);
    if (st == FT_OK)
        st = take_block(r, "conformal", &conformal, err);
    if (st == FT_OK)
        st = read_cross(r, m, n_cols, err);
    if (st == FT_OK)
        st = text_get_end(r, err);
    if (st == FT_OK)
        st = m->ops->read(body.at, body.len, &m->fitted, err);
    if (st == FT_OK && calibration.len > 0)
        st = calibration_read(calibration.at, calibration.len, &m->calibration, err);
    if (st == FT_OK && conformal.len > 0)
        st = conformal_read(conformal.at, conformal.len, &m->conformal, err);
    return st;
}

static enum ft_status read_model(const char *text, size_t len, struct model *m, struct ft_err *err)
{
    struct text_reader r;
    char crc[CRC_LINE + 1];
    size_t n_cols = 0;
    static const char magic[] = "fettle-model ";
    if (len < sizeof(magic) + CRC_LINE || memcmp(text, magic, sizeof(magic) - 1) != 0)
        return ft_fail(err, FT_INVALID, "not a Fettle model file");
    crc_line(text, len - CRC_LINE, crc);
    if (memcmp(text + len - CRC_LINE, crc, CRC_LINE) != 0)
        return ft_fail(err, FT_INVALID, "model file is damaged or cut off (CRC-32)");
    text_reader_init(&r, text, len - CRC_LINE, "model file");
    enum ft_status st = read_head(&r, m, &n_cols, err);
    if (st == FT_OK)
        st = read_parts(&r, m, n_cols, err);
    if (st != FT_OK)
        return st;
    if (m->ops->n_cols(m->fitted) != n_cols ||
        (m->ops->fits_task != NULL && !m->ops->fits_task(m->fitted, m->task)))
        return ft_fail(err, FT_INVALID, "model file: body has other columns or another task");
    return FT_OK;
}

enum ft_status model_load(const char *text, size_t len, struct model **out, struct ft_err *err)
{
    *out = NULL;
    struct model *m = calloc(1, sizeof(*m));
    if (m == NULL)
        return ft_fail(err, FT_NOMEM, "model file: no memory");
    const enum ft_status st = read_model(text, len, m, err);
    if (st != FT_OK) {
        model_free(m);
        return st;
    }
    *out = m;
    return FT_OK;
}
