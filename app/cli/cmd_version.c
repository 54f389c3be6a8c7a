/* fettle version: the version and the libraries it was built with. */
#include "app/base/json.h"
#include "app/cli/cli.h"
#include "app/cli/commands.h"
#include "app/ingest/mqtt.h"
#include "app/ingest/sparkplug.h"
#include "app/version.h"

#include <stdio.h>

int cmd_version(int argc, char **argv)
{
    bool as_json = false;
    const struct cli_flag flags[] = {{"--json", CLI_BOOL, &as_json, NULL, "print JSON"}};
    const struct cli_usage usage = {.examples = "fettle version\nfettle version --json",
                                    .synopsis = "fettle version [--json]",
                                    .flags = flags,
                                    .n_flags = 1};
    const int code = cli_parse(&usage, argc, argv, NULL, 0, NULL);
    if (code >= 0)
        return code;
    if (!as_json) {
        printf("fettle %s\n", FETTLE_VERSION);
        return 0;
    }
    cJSON *out = cJSON_CreateObject();
    json_add_string(out, "name", "fettle");
    json_add_string(out, "version", FETTLE_VERSION);
    json_add_string(out, "compiler", __VERSION__);
    cJSON *parts = json_add_object(out, "parts");
    json_add_bool(parts, "mqtt", mqtt_is_built);
    json_add_bool(parts, "sparkplug", sparkplug_is_built);
    const int printed = cli_print_json(out);
    cJSON_Delete(out);
    return printed;
}
