/* Every command of the program; each lives in app/cli/cmd_<name>.c (serve in web/cmd_serve.c). */
#ifndef APP_CLI_COMMANDS_H
#define APP_CLI_COMMANDS_H

int cmd_demo(int argc, char **argv);
int cmd_import(int argc, char **argv);
int cmd_train(int argc, char **argv);
int cmd_evaluate(int argc, char **argv);
int cmd_predict(int argc, char **argv);
int cmd_schedule(int argc, char **argv);
int cmd_roi(int argc, char **argv);
int cmd_summary(int argc, char **argv);
int cmd_retrain(int argc, char **argv);
int cmd_serve(int argc, char **argv);
int cmd_fit(int argc, char **argv);
int cmd_score(int argc, char **argv);
int cmd_life(int argc, char **argv);
int cmd_export(int argc, char **argv);
int cmd_backup(int argc, char **argv);
int cmd_restore(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_retain(int argc, char **argv);
int cmd_rebuild(int argc, char **argv);
int cmd_key(int argc, char **argv);
int cmd_config(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_version(int argc, char **argv);

#endif
