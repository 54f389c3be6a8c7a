/* fettle backup FILE: an online copy, also while a server runs. */
#include "app/base/clock.h"
#include "app/base/json.h"
#include "app/cli/cli.h"
#include "app/cli/commands.h"
#include "db/db.h"
#include "db/reading_store.h"

#include <stdio.h>
#include <sys/stat.h>

int cmd_backup(int argc, char **argv)
{
    bool as_json = false;
    const char *target = NULL;
    size_t n_words = 0;
    const struct cli_flag flags[] = {{"--json", CLI_BOOL, &as_json, NULL, "print JSON"}};
    const struct cli_usage usage = {
        .examples = "fettle backup fettle-monday.db\nfettle backup --db /srv/plant.db /mnt/b.db",
        .synopsis = "fettle backup FILE [--json]",
        .text = "Copies the database into a new file, also while a server runs. The copy is a\n"
                "database of its own; fettle restore puts it back.",
        .flags = flags,
        .n_flags = 1};
    struct ft_err err;
    struct db *db = NULL;
    struct stat info;
    int code = cli_parse(&usage, argc, argv, &target, 1, &n_words);
    if (code >= 0)
        return code;
    if (n_words == 0)
        return cli_usage_error("expected the name of the new file");
    const double start_s = clock_mono_s();
    enum ft_status st = db_open_reader(cli_db_path(), &db, &err);
    if (st == FT_OK)
        st = db_backup(db, target, &err);
    db_close(db);
    if (st != FT_OK)
        return cli_fail(&err);
    const int64_t bytes = stat(target, &info) == 0 ? info.st_size : 0;
    if (!as_json) {
        printf("%s: %.1f MiB in %.2f s\n", target, (double)bytes / 1048576,
               clock_mono_s() - start_s);
        return 0;
    }
    cJSON *out = cJSON_CreateObject();
    json_add_string(out, "database", cli_db_path());
    json_add_string(out, "backup", target);
    json_add_int(out, "bytes", bytes);
    json_add_number(out, "seconds", clock_mono_s() - start_s);
    code = cli_print_json(out);
    cJSON_Delete(out);
    return code;
}
