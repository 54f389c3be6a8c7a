#include "app/codes.h"

#include "db/work_order_store.h"

#include <stdio.h>
#include <string.h>

enum ft_status codes_check(struct db *db, const char *kind, const char *member, const char *code,
                           struct ft_err *err)
{
    struct code_list l = {0};
    char known[160] = "";
    bool is_known = false, is_cut = false;
    if (code == NULL || code[0] == '\0')
        return FT_OK;
    const enum ft_status st = code_list(db, kind, &l, err);
    for (size_t i = 0; i < l.n; i++) {
        const size_t at = strlen(known), n = strlen(l.items[i].code);
        is_known = is_known || strcmp(l.items[i].code, code) == 0;
        is_cut = is_cut || at + n + 3 > sizeof(known);
        if (!is_cut)
            snprintf(known + at, sizeof(known) - at, "%s%s", at > 0 ? ", " : "", l.items[i].code);
    }
    code_list_free(&l);
    if (st != FT_OK || is_known)
        return st;
    return ft_fail(err, FT_INVALID, "/%s: \"%.20s\" is no %s code: %s%s", member, code, kind, known,
                   is_cut             ? ", ..."
                   : known[0] == '\0' ? "the list is empty"
                                      : "");
}
