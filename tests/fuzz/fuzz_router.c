/* Input: a raw request target; parsed and matched against the real route table with every method.
 */
#include "web/api/api.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const methods[] = {"GET", "HEAD", "POST", "PATCH", "DELETE", "PUT"};
    static struct uri uri;
    struct ft_err err;
    if (uri_parse((const char *)data, size, &uri, &err) != FT_OK)
        return 0;
    for (size_t i = 0; i < uri.n_query; i++)
        if (uri_query(&uri, uri.query[i].name) != uri.query[i].value)
            abort();
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        struct route_match m;
        char allow[80];
        if (route_find(&api_routes[0].key, sizeof(api_routes[0]), api_routes_count, methods[i],
                       &uri, &m, allow, sizeof(allow)) != ROUTE_FOUND)
            continue;
        for (size_t k = 0; k < m.n_params; k++)
            if (m.params[k][0] == '\0')
                abort();
    }
    return 0;
}
