/* fettle config: is the configuration sound, and what does it come to? */
#include "app/base/json.h"
#include "app/cli/cli.h"
#include "app/cli/commands.h"
#include "app/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int show(const struct config *c, bool with_origin, bool as_json)
{
    struct config_row row;
    cJSON *all = as_json ? cJSON_CreateObject() : NULL;
    const char *section = "";
    for (size_t i = 0; config_row(c, i, &row); i++) {
        if (as_json) {
            char key[80];
            snprintf(key, sizeof(key), "%s.%s", row.section, row.key);
            cJSON *o = json_add_object(all, key);
            json_add_string(o, "value", row.value);
            json_add_string(o, "origin", row.origin);
            continue;
        }
        if (strcmp(section, row.section) != 0)
            printf("%s[%s]\n", i > 0 ? "\n" : "", row.section);
        section = row.section;
        if (with_origin)
            printf("%s = %s    ; %s\n", row.key, row.value, row.origin);
        else
            printf("%s = %s\n", row.key, row.value);
    }
    const int rc = as_json ? cli_print_json(all) : 0;
    cJSON_Delete(all);
    return rc;
}

int cmd_config(int argc, char **argv)
{
    bool as_json = false, with_origin = false;
    const char *file_flag = NULL, *word = NULL;
    size_t n_words = 0;
    const struct cli_flag flags[] = {
        {"--config", CLI_STRING, &file_flag, "FILE",
         "configuration; else $FETTLE_CONFIG, else ./fettle.conf"},
        {"--origin", CLI_BOOL, &with_origin, NULL, "show where each value comes from"},
        {"--json", CLI_BOOL, &as_json, NULL, "print JSON"},
    };
    const struct cli_usage usage = {
        .examples =
            "fettle config check --config /etc/fettle/fettle.conf\nfettle config show --origin",
        .synopsis = "fettle config check|show [--config F] [--origin] [--json]",
        .text = "check says whether the configuration is sound; show prints what it comes to:\n"
                "default < file < conf.d < FETTLE_SECTION_KEY in the environment < flag.",
        .flags = flags,
        .n_flags = sizeof(flags) / sizeof(flags[0])};
    const int code = cli_parse(&usage, argc, argv, &word, 1, &n_words);
    if (code >= 0)
        return code;
    if (n_words != 1 || (strcmp(word, "check") != 0 && strcmp(word, "show") != 0))
        return cli_usage_error("config: expected check or show");
    struct ft_err err;
    struct config *c = calloc(1, sizeof(*c));
    if (c == NULL) {
        fputs("fettle: no memory\n", stderr);
        return 1;
    }
    const char *file = config_file(file_flag);
    int rc;
    if (config_load(file, NULL, 0, c, &err) != FT_OK)
        rc = cli_fail(&err);
    else if (strcmp(word, "show") == 0)
        rc = show(c, with_origin, as_json);
    else
        rc = printf("%s: ok\n", file != NULL ? file : "defaults and environment") < 0;
    free(c);
    return rc;
}
