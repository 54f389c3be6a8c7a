/* Entry point: the table of commands. */
#include "app/cli/cli.h"
#include "app/cli/commands.h"

#include <stdio.h>
#include <string.h>

static const struct cli_command commands[] = {
    {"demo", "make a seeded plant with known truth, train and plan", cmd_demo},
    {"import", "read readings, assets, events or C-MAPSS files", cmd_import},
    {"train", "fit models of one asset class and choose the champion", cmd_train},
    {"evaluate", "measure the champions on what they have not seen", cmd_evaluate},
    {"predict", "forecast every asset now, or as of a past instant", cmd_predict},
    {"schedule", "the plan: what, when, who, for how much", cmd_schedule},
    {"roi", "does it pay, how sure, and on what does that hang", cmd_roi},
    {"summary", "top risks, next jobs, money at stake", cmd_summary},
    {"retrain", "the nightly job, once", cmd_retrain},
    {"rebuild", "compute derived tables again", cmd_rebuild},
    {"serve", "serve the dashboard and the API", cmd_serve},
    {"fit", "learn from one table and write a model file", cmd_fit},
    {"score", "predict the rows of a table with a model file", cmd_score},
    {"life", "fit a life distribution, find the age to replace", cmd_life},
    {"export", "write readings, assets, events, work orders or the ledger", cmd_export},
    {"retain", "sum up hours of readings, thin and drop old ones", cmd_retain},
    {"backup", "copy the database, also while a server runs", cmd_backup},
    {"restore", "put a backup in the place of the database", cmd_restore},
    {"check", "integrity of the file and quality of the data", cmd_check},
    {"key", "make, list and revoke API keys", cmd_key},
    {"config", "check or show the configuration", cmd_config},
    {"replay", "make a model again and compare every byte", cmd_replay},
    {"version", "print the version", cmd_version},
};
enum { N_COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static void print_commands(FILE *f)
{
    fputs("Fettle: predictive maintenance on the plant's own computer.\n\n"
          "Usage: fettle COMMAND [FLAGS]      fettle COMMAND -h shows examples\n\nCommands:\n",
          f);
    for (size_t i = 0; i < N_COMMANDS; i++)
        fprintf(f, "  %-12s %s\n", commands[i].name, commands[i].summary);
}

/* Nearest command by shared leading letters, for "did you mean". */
static const char *nearest(const char *word)
{
    const char *best = NULL;
    size_t best_n = 1;
    for (size_t i = 0; i < N_COMMANDS; i++) {
        size_t n = 0;
        while (word[n] != '\0' && word[n] == commands[i].name[n])
            n++;
        if (n > best_n) {
            best_n = n;
            best = commands[i].name;
        }
    }
    return best;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_commands(stderr);
        return 2;
    }
    const char *name = argv[1];
    if (strcmp(name, "-h") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "help") == 0) {
        print_commands(stdout);
        return 0;
    }
    if (strcmp(name, "--version") == 0)
        name = "version";
    cli_catch_signals();
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    const char *guess = nearest(name);
    fprintf(stderr, "fettle: unknown command '%.60s'%s%s%s; fettle --help lists them\n", name,
            guess != NULL ? ", did you mean " : "", guess != NULL ? guess : "",
            guess != NULL ? "?" : "");
    return 2;
}
