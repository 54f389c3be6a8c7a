/* fettle restore FILE: a backup in the place of the database. */
#include "app/base/clock.h"
#include "app/base/json.h"
#include "app/cli/cli.h"
#include "app/cli/commands.h"
#include "db/db.h"

#include <stdio.h>
#include <unistd.h>

int cmd_restore(int argc, char **argv)
{
    bool as_json = false;
    const char *backup = NULL;
    size_t n_words = 0;
    const struct cli_flag flags[] = {{"--json", CLI_BOOL, &as_json, NULL, "print JSON"}};
    const struct cli_usage usage = {
        .examples = "fettle restore fettle-monday.db",
        .synopsis = "fettle restore FILE [--json]",
        .text = "Checks the backup, then puts a copy of it in the place of the database (--db).\n"
                "The database that stood there stays beside it as FILE.before-restore. Refused\n"
                "while a server or an import writes.",
        .flags = flags,
        .n_flags = 1};
    struct ft_err err;
    int code = cli_parse(&usage, argc, argv, &backup, 1, &n_words);
    if (code >= 0)
        return code;
    if (n_words == 0)
        return cli_usage_error("expected the backup to restore");
    const bool had_old = access(cli_db_path(), F_OK) == 0;
    const double start_s = clock_mono_s();
    if (db_restore(cli_db_path(), backup, &err) != FT_OK)
        return cli_fail(&err);
    if (!as_json) {
        printf("%s now holds %s (%.2f s)\n", cli_db_path(), backup, clock_mono_s() - start_s);
        if (had_old)
            printf("the old database is kept as %s.before-restore\n", cli_db_path());
        return 0;
    }
    cJSON *out = cJSON_CreateObject();
    json_add_string(out, "database", cli_db_path());
    json_add_string(out, "backup", backup);
    json_add_bool(out, "kept_old", had_old);
    json_add_number(out, "seconds", clock_mono_s() - start_s);
    code = cli_print_json(out);
    cJSON_Delete(out);
    return code;
}
