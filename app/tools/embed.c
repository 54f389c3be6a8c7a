/* Build-time program: turns files into C tables, so that the program needs no file at run time.
 *   embed files NAME OUT.c FILE...   struct embedded_file NAME[] and NAME_count
 *   embed queries OUT.h OUT.c FILE.sql...   "-- name: x" blocks -> enum query_id and query_texts[]
 * Runs on the build machine only. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void die(const char *what, const char *name)
{
    fprintf(stderr, "embed: %s %s: %s\n", what, name, strerror(errno));
    exit(1);
}

static FILE *create(const char *path)
{
    FILE *f = fopen(path, "w");
    if (f == NULL)
        die("create", path);
    return f;
}

static char *slurp(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        die("open", path);
    if (fseek(f, 0, SEEK_END) != 0)
        die("seek", path);
    const long size = ftell(f);
    rewind(f);
    char *data = malloc((size_t)size + 1);
    if (data == NULL || fread(data, 1, (size_t)size, f) != (size_t)size)
        die("read", path);
    fclose(f);
    data[size] = '\0';
    *len = (size_t)size;
    return data;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static int embed_files(int argc, char **argv)
{
    const char *name = argv[2];
    FILE *out = create(argv[3]);
    fprintf(out, "/* Made by app/tools/embed.c. */\n#include \"app/base/embedded.h\"\n\n");
    for (int i = 4; i < argc; i++) {
        size_t len = 0;
        char *data = slurp(argv[i], &len);
        fprintf(out, "static const unsigned char data_%d[] = {", i - 4);
        for (size_t k = 0; k < len; k++)
            fprintf(out, "%s%u,", k % 24 == 0 ? "\n" : "", (unsigned char)data[k]);
        fprintf(out, "0};\n"); /* a NUL after the end: text files can be used as strings */
        free(data);
    }
    fprintf(out, "\nconst struct embedded_file %s[] = {\n", name);
    for (int i = 4; i < argc; i++)
        fprintf(out, "    {\"%s\", data_%d, sizeof(data_%d) - 1},\n", base_name(argv[i]), i - 4,
                i - 4);
    fprintf(out, "    {0, 0, 0}};\nconst size_t %s_count = %d;\n", name, argc - 4);
    if (fclose(out) != 0)
        die("write", argv[3]);
    return 0;
}

static void put_sql(FILE *out, const char *from, const char *to)
{
    for (const char *p = from; p < to; p++) {
        if (*p == '\n')
            fputs("\\n\"\n    \"", out);
        else if (*p == '"' || *p == '\\')
            fprintf(out, "\\%c", *p);
        else
            fputc(*p, out);
    }
}

/* Walks the "-- name: x" blocks of one file: writes the enum (header) or the texts (body). */
static void embed_query_file(const char *path, FILE *out, int is_header)
{
    static const char mark[] = "-- name: ";
    size_t len = 0;
    char *text = slurp(path, &len);
    char *at = strstr(text, mark);
    while (at != NULL) {
        char *name = at + strlen(mark);
        size_t n = 0;
        while (isalnum((unsigned char)name[n]) || name[n] == '_')
            n++;
        char *body = strchr(name, '\n');
        char *next = body != NULL ? strstr(body, mark) : NULL;
        if (n == 0 || body == NULL) {
            fprintf(stderr, "embed: %s: a '-- name:' line without name or body\n", path);
            exit(1);
        }
        if (is_header) {
            fprintf(out, "    QUERY_%.*s,\n", (int)n, name);
        } else {
            fprintf(out, "    {\"%.*s\",\n    \"", (int)n, name);
            put_sql(out, body + 1, next != NULL ? next : text + len);
            fprintf(out, "\"},\n");
        }
        at = next;
    }
    free(text);
}

static int embed_queries(int argc, char **argv)
{
    FILE *h = create(argv[2]);
    FILE *c = create(argv[3]);
    fprintf(h, "/* Made by app/tools/embed.c. */\n#ifndef GEN_QUERIES_H\n#define GEN_QUERIES_H\n\n"
               "enum query_id {\n");
    fprintf(c, "/* Made by app/tools/embed.c. */\n#include \"gen/queries.h\"\n\n"
               "const struct query_text query_texts[] = {\n");
    for (int i = 4; i < argc; i++) {
        embed_query_file(argv[i], h, 1);
        embed_query_file(argv[i], c, 0);
    }
    fprintf(h, "    QUERY_COUNT\n};\n\nstruct query_text {\n    const char *name, *sql;\n};\n"
               "extern const struct query_text query_texts[];\n\n#endif\n");
    fprintf(c, "    {0, 0}};\n");
    if (fclose(h) != 0 || fclose(c) != 0)
        die("write", argv[2]);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc >= 4 && strcmp(argv[1], "files") == 0)
        return embed_files(argc, argv);
    if (argc >= 4 && strcmp(argv[1], "queries") == 0)
        return embed_queries(argc, argv);
    fprintf(stderr, "usage: embed files NAME OUT.c FILE... | embed queries OUT.h OUT.c FILE...\n");
    return 2;
}
