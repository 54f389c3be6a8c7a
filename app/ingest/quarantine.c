#include "app/ingest/quarantine.h"

#include "app/base/buf.h"
#include "app/base/clock.h"
#include "app/base/utf8.h"
#include "db/import_store.h"

#include <string.h>

enum { N_SHOWN = 5, RAW_MAX = 4000 };

/* Copies text with bytes that are no UTF-8 or control characters replaced, so that any program may
 * show it. */
static void put_clean(struct buf *to, const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    const size_t len = strlen(text);
    for (size_t i = 0; i < len;) {
        const size_t n = utf8_length(p + i, len - i);
        if (n == 0 || (n == 1 && (p[i] == 0x7f || (p[i] < 0x20 && strchr("\t\n\r", p[i]) == NULL))))
            buf_puts(to, "\xef\xbf\xbd");
        else
            buf_put(to, p + i, n);
        i += n == 0 ? 1 : n;
    }
}

enum ft_status quarantine_add(struct db *db, const struct import_options *o, int64_t import_id,
                              struct import_summary *s, int64_t line, const char *column,
                              const char *reason, const char *raw, struct ft_err *err)
{
    struct buf clean_raw;
    struct buf clean_reason;
    buf_init(&clean_raw, 4 * RAW_MAX);
    buf_init(&clean_reason, 4 * RAW_MAX);
    buf_puts(&clean_raw, ""); /* data is never NULL */
    put_clean(&clean_raw, raw);
    put_clean(&clean_reason, reason);
    enum ft_status st = FT_OK;
    if (clean_raw.data == NULL || clean_reason.data == NULL)
        st = ft_fail(err, FT_NOMEM, "no memory for a bad row");
    if (st == FT_OK && s->n_bad < N_SHOWN)
        import_say(o, "%s: line %lld: %s", s->file, (long long)line, clean_reason.data);
    if (st == FT_OK && s->n_bad == N_SHOWN)
        import_say(o, "%s: further bad rows are not shown here", s->file);
    s->n_bad++;
    if (st == FT_OK && !o->is_dry_run) {
        const struct quarantine_row row = {.import_id = import_id,
                                           .file = (char *)s->file,
                                           .line = line,
                                           .column_name = (char *)column,
                                           .reason = clean_reason.data,
                                           .raw = clean_raw.data,
                                           .created_ms = clock_now_ms()};
        st = quarantine_put(db, &row, err);
    }
    buf_free(&clean_raw);
    buf_free(&clean_reason);
    return st;
}
