/* The verb `fettle import waveform`; argv[0] is "waveform". Exit codes as cmd_*. */
#ifndef APP_CLI_IMPORT_WAVEFORM_H
#define APP_CLI_IMPORT_WAVEFORM_H

int cmd_import_waveform(int argc, char **argv);

#endif
