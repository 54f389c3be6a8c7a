/* Input: a configuration file. What is accepted must print and be accepted again. */
#include "app/config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct config c;
    struct config_row row;
    struct ft_err err;
    char *text = malloc(size + 1);
    if (text == NULL)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    if (config_load_text(text, "fuzz", &c, &err) == FT_OK) {
        char host[64];
        int port = 0;
        for (size_t i = 0; config_row(&c, i, &row); i++)
            if (strcmp(row.key, "listen") == 0 &&
                config_parse_listen(row.value, host, &port, NULL) != FT_OK)
                abort();
    } else if (err.msg[0] == '\0') {
        abort();
    }
    free(text);
    return 0;
}
