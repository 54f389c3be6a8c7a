#include "app/cli/class_arg.h"

#include "db/asset_store.h"

#include <stdio.h>
#include <string.h>

enum ft_status class_arg(struct db *db, const char *given, char *out, size_t size,
                         struct ft_err *err)
{
    struct asset_class_list list = {0};
    if (given != NULL) {
        if (strlen(given) >= size)
            return ft_fail(err, FT_INVALID, "--class: the name is too long");
        memcpy(out, given, strlen(given) + 1);
        return FT_OK;
    }
    enum ft_status st = class_list(db, &list, err);
    if (st != FT_OK)
        return st;
    if (list.n == 1)
        (void)snprintf(out, size, "%s", list.items[0].name);
    else if (list.n == 0)
        st = ft_fail(err, FT_TOO_FEW, "the database holds no asset class yet: import assets first");
    else
        st = ft_fail(err, FT_INVALID, "name one of the %zu classes with --class, such as %.60s",
                     list.n, list.items[0].name);
    asset_class_list_free(&list);
    return st;
}
