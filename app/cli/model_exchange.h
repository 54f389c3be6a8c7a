/* Verbs of `fettle export` and `fettle import` about models; argv[0] is "model". Exit codes as
 * cmd_*. */
#ifndef APP_CLI_MODEL_EXCHANGE_H
#define APP_CLI_MODEL_EXCHANGE_H

int cmd_export_model(int argc, char **argv);
int cmd_import_model(int argc, char **argv);

#endif
