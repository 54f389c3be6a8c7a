/* fettle export model, fettle import model: models to and from other programs. */
#include "app/base/file.h"
#include "app/base/hash.h"
#include "app/base/json.h"
#include "app/cli/cli.h"
#include "app/cli/model_exchange.h"
#include "app/fit_import.h"
#include "app/fit_model.h"
#include "models/interchange/onnx.h"

#include <stdio.h>
#include <string.h>

static const size_t MAX_BYTES = (size_t)1 << 31;

static int finish(enum ft_status st, const char *path, struct buf *bytes, bool as_json,
                  struct ft_err *err)
{
    char sha256[HASH_HEX_SIZE] = "";
    int code = 0;
    if (st == FT_OK)
        st = file_write(path, bytes->data, bytes->len, err);
    if (st != FT_OK)
        return cli_fail(err);
    hash_sha256(bytes->data, bytes->len, sha256);
    if (!as_json) {
        printf("%s: %zu bytes, SHA-256 %s\n", path, bytes->len, sha256);
        return 0;
    }
    cJSON *out = cJSON_CreateObject();
    json_add_string(out, "model", path);
    json_add_int(out, "bytes", (int64_t)bytes->len);
    json_add_string(out, "model_sha256", sha256);
    code = cli_print_json(out);
    cJSON_Delete(out);
    return code;
}

int cmd_export_model(int argc, char **argv)
{
    const char *model = NULL, *format = "onnx", *path = NULL;
    bool as_json = false;
    const struct cli_flag flags[] = {{"--format", CLI_STRING, &format, "F", "onnx"},
                                     {"--out", CLI_STRING, &path, "FILE", "file to write"},
                                     {"--json", CLI_BOOL, &as_json, NULL, "print JSON"}};
    const struct cli_usage usage = {
        .examples = "fettle export model fail.model --format onnx --out fail.onnx",
        .synopsis = "fettle export model MODEL [--format onnx] --out FILE [--json]",
        .text = "Writes trees, linear, Cox and AFT models of fettle fit as ONNX: input x, float\n"
                "[rows, columns], NaN = missing; output prediction, float [rows, 1].",
        .flags = flags,
        .n_flags = sizeof(flags) / sizeof(flags[0])};
    const int parsed = cli_parse(&usage, argc, argv, &model, 1, NULL);
    if (parsed >= 0)
        return parsed;
    if (model == NULL || path == NULL)
        return cli_usage_error(model == NULL ? "which model?" : "--out is missing");
    if (strcmp(format, "onnx") != 0)
        return cli_usage_error("--format %.40s: expected onnx", format);
    struct fit_model m;
    struct buf bytes;
    struct ft_err err;
    buf_init(&bytes, MAX_BYTES);
    enum ft_status st = fit_model_open(model, &m, &err);
    if (st == FT_OK)
        st = onnx_export(m.model, &bytes, &err);
    const int code = finish(st, path, &bytes, as_json, &err);
    buf_free(&bytes);
    fit_model_close(&m);
    return code;
}

int cmd_import_model(int argc, char **argv)
{
    const char *file = NULL, *path = NULL;
    bool as_json = false;
    const struct cli_flag flags[] = {{"--out", CLI_STRING, &path, "MODEL", "model file to write"},
                                     {"--json", CLI_BOOL, &as_json, NULL, "print JSON"}};
    const struct cli_usage usage = {
        .examples = "fettle import model booster.json --out pump.model\n"
                    "fettle import model lightgbm.txt --out pump.model",
        .synopsis = "fettle import model FILE --out MODEL [--json]",
        .text = "Reads trees of XGBoost (JSON) or LightGBM (text) with one output; fettle score\n"
                "then finds the columns of a table by their names.",
        .flags = flags,
        .n_flags = sizeof(flags) / sizeof(flags[0])};
    const int parsed = cli_parse(&usage, argc, argv, &file, 1, NULL);
    if (parsed >= 0)
        return parsed;
    if (file == NULL || path == NULL)
        return cli_usage_error(file == NULL ? "which file?" : "--out is missing");
    struct buf bytes;
    struct ft_err err;
    buf_init(&bytes, MAX_BYTES);
    const enum ft_status st = fit_import(file, &bytes, &err);
    const int code = finish(st, path, &bytes, as_json, &err);
    buf_free(&bytes);
    return code;
}
