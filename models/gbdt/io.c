/* Text form. One line per node, each tree in breadth-first order, so that children need no numbers:
 * the k-th split of a tree owns its nodes 2k + 1 and 2k + 2.
 *
 *   gbdt 1
 *   objective NAME                      as gbdt_objective_name()
 *   parameter HEX                       quantile level or AFT scale, where the objective has one
 *   columns N
 *   base HEX
 *   trees N
 *   tree NODES
 *   s COLUMN THRESHOLD l|r GAIN COVER     value <= threshold goes left, missing to l or r
 *   c COLUMN SET GAIN COVER               the categories of the set go left (category.h): 64
 *                                         hexadecimal digits, the first bit is the code 255
 *   l VALUE COVER
 *   end
 */
#include "models/gbdt/forest.h"
#include "models/gbdt/objective.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static void write_split(const struct gbdt *g, size_t i, struct buf *out)
{
    const struct forest_node *n = &g->node[i];
    if (forest_is_set(n)) {
        buf_printf(out, "c %" PRIu32 " ", forest_column(n));
        for (size_t w = 4; w-- > 0;)
            buf_printf(out, "%016" PRIx64, forest_set_of(g, n)->word[w]);
        buf_printf(out, " %a %a\n", g->gain[i], g->cover[i]);
        return;
    }
    buf_printf(out, "s %" PRIu32 " %a %c %a %a\n", forest_column(n), n->value,
               n->column & FOREST_MISSING_LEFT ? 'l' : 'r', g->gain[i], g->cover[i]);
}

void gbdt_write(const struct gbdt *g, struct buf *out)
{
    buf_printf(out, "gbdt 1\nobjective %s\n", gbdt_objective_name(g->objective));
    if (objective_has_parameter(g->objective))
        buf_printf(out, "parameter %a\n", g->parameter);
    buf_printf(out, "columns %zu\nbase %a\ntrees %zu\n", g->n_cols, g->base, g->n_trees);
    for (size_t t = 0; t < g->n_trees; t++) {
        buf_printf(out, "tree %" PRIu32 "\n", g->root[t + 1] - g->root[t]);
        for (size_t i = g->root[t]; i < g->root[t + 1]; i++) {
            const struct forest_node *n = &g->node[i];
            if (n->child == 0)
                buf_printf(out, "l %a %a\n", n->value, g->cover[i]);
            else
                write_split(g, i, out);
        }
    }
    buf_puts(out, "end\n");
}

/* --- reading ---------------------------------------------------------------------------------- */

enum { WORD_SIZE = 72, SET_DIGITS = 64 };

struct reader {
    const char *at, *end;
    size_t line;
    struct ft_err *err;
};

static enum ft_status bad(const struct reader *r, const char *expected)
{
    return ft_fail(r->err, FT_INVALID, "trees: line %zu: expected %s", r->line, expected);
}

/* Next word of the line into word[]; after must follow it and is taken too. */
static bool next_word(struct reader *r, char after, char word[WORD_SIZE])
{
    size_t n = 0;
    while (r->at < r->end && *r->at != ' ' && *r->at != '\n') {
        if (n + 1 == WORD_SIZE)
            return false;
        word[n++] = *r->at++;
    }
    word[n] = '\0';
    if (n == 0 || r->at == r->end || *r->at != after)
        return false;
    r->at++;
    r->line += after == '\n';
    return true;
}

static bool take_word(struct reader *r, const char *expected, char after)
{
    char word[WORD_SIZE];
    return next_word(r, after, word) && strcmp(word, expected) == 0;
}

static bool take_count(struct reader *r, char after, size_t max, size_t *out)
{
    char word[WORD_SIZE];
    char *end = NULL;
    if (!next_word(r, after, word) || !isdigit((unsigned char)word[0]) || strlen(word) > 10)
        return false;
    const unsigned long long v = strtoull(word, &end, 10);
    *out = (size_t)v;
    return *end == '\0' && v <= max;
}

/* A hexadecimal float as %a prints it; infinities as such, never NaN. */
static bool take_number(struct reader *r, char after, double *out)
{
    char word[WORD_SIZE];
    char *end = NULL;
    if (!next_word(r, after, word))
        return false;
    const char *digits = word[0] == '-' ? word + 1 : word;
    if (strcmp(digits, "inf") != 0 && strncmp(digits, "0x", 2) != 0)
        return false;
    *out = strtod(word, &end);
    return *end == '\0' && !isnan(*out);
}

static enum ft_status read_split(struct reader *r, struct gbdt *g, size_t i)
{
    size_t column;
    char side[WORD_SIZE];
    struct forest_node *n = &g->node[i];
    if (!take_count(r, ' ', g->n_cols - 1, &column) || !take_number(r, ' ', &n->value) ||
        !next_word(r, ' ', side) || (strcmp(side, "l") != 0 && strcmp(side, "r") != 0) ||
        !take_number(r, ' ', &g->gain[i]) || !take_number(r, '\n', &g->cover[i]) ||
        !isfinite(g->gain[i]))
        return bad(r, "s COLUMN THRESHOLD l|r GAIN COVER");
    n->column = (uint32_t)column | (side[0] == 'l' ? FOREST_MISSING_LEFT : 0);
    return FT_OK;
}

static bool take_set(struct reader *r, struct code_set *set)
{
    static const char digits[] = "0123456789abcdef";
    char word[WORD_SIZE];
    *set = (struct code_set){{0}};
    if (!next_word(r, ' ', word) || strlen(word) != SET_DIGITS)
        return false;
    for (size_t i = 0; i < SET_DIGITS; i++) {
        const char *digit = strchr(digits, word[i]);
        if (digit == NULL)
            return false;
        const size_t bit = 4 * (SET_DIGITS - 1 - i);
        set->word[bit / 64] |= (uint64_t)(digit - digits) << (bit % 64);
    }
    return true;
}

static enum ft_status read_set(struct reader *r, struct gbdt *g, size_t i)
{
    size_t column;
    struct code_set set;
    struct forest_node *n = &g->node[i];
    if (!take_count(r, ' ', g->n_cols - 1, &column) || !take_set(r, &set) ||
        !take_number(r, ' ', &g->gain[i]) || !take_number(r, '\n', &g->cover[i]) ||
        !isfinite(g->gain[i]))
        return bad(r, "c COLUMN SET GAIN COVER");
    n->column = (uint32_t)column | (code_set_has(&set, CATEGORY_MISSING) ? FOREST_MISSING_LEFT : 0);
    if (!forest_set_categories(g, n, &set))
        return ft_fail(r->err, FT_NOMEM, "trees: no memory for sets of categories");
    return FT_OK;
}

static enum ft_status read_node(struct reader *r, struct gbdt *g, size_t i, size_t *next,
                                size_t tree_end)
{
    char kind[WORD_SIZE];
    struct forest_node *n = &g->node[i];
    if (!next_word(r, ' ', kind))
        return bad(r, "a node");
    if (strcmp(kind, "l") == 0) {
        if (!take_number(r, ' ', &n->value) || !take_number(r, '\n', &g->cover[i]) ||
            !isfinite(n->value))
            return bad(r, "l VALUE COVER");
    } else if (strcmp(kind, "s") == 0 || strcmp(kind, "c") == 0) {
        const enum ft_status st = kind[0] == 's' ? read_split(r, g, i) : read_set(r, g, i);
        if (st != FT_OK)
            return st;
        if (*next + 2 > tree_end)
            return bad(r, "no more splits than the tree has nodes for");
        n->child = (uint32_t)*next;
        *next += 2;
    } else {
        return bad(r, "s, c or l");
    }
    if (!(g->cover[i] > 0 && isfinite(g->cover[i])))
        return bad(r, "a cover above 0");
    return FT_OK;
}

static enum ft_status read_tree(struct reader *r, struct gbdt *g)
{
    size_t n_nodes;
    if (!take_word(r, "tree", ' ') || !take_count(r, '\n', 2 * FOREST_MAX_LEAVES - 1, &n_nodes) ||
        n_nodes % 2 == 0)
        return bad(r, "tree and an odd number of nodes");
    if (n_nodes > (size_t)(r->end - r->at))
        return bad(r, "as many lines as nodes");
    const size_t first = forest_add_tree(g, n_nodes);
    if (first == SIZE_MAX)
        return ft_fail(r->err, FT_NOMEM, "trees: no memory for a tree of %zu nodes", n_nodes);
    size_t next = first + 1; /* first node that no split owns yet */
    for (size_t i = first; i < first + n_nodes; i++) {
        if (i >= next)
            return bad(r, "a split that owns the node");
        const enum ft_status st = read_node(r, g, i, &next, first + n_nodes);
        if (st != FT_OK)
            return st;
    }
    return FT_OK;
}

static enum ft_status read_objective(struct reader *r, enum gbdt_objective *objective,
                                     double *parameter)
{
    char name[WORD_SIZE];
    if (!take_word(r, "objective", ' ') || !next_word(r, '\n', name) ||
        gbdt_objective_by_name(name) < 0)
        return bad(r, "objective and a known name");
    *objective = (enum gbdt_objective)gbdt_objective_by_name(name);
    *parameter = 0;
    if (objective_has_parameter(*objective) &&
        (!take_word(r, "parameter", ' ') || !take_number(r, '\n', parameter) ||
         !objective_parameter_is_valid(*objective, *parameter)))
        return bad(r, "parameter and a number in range");
    return FT_OK;
}

static enum ft_status read_forest(struct reader *r, struct gbdt **out)
{
    enum gbdt_objective objective = GBDT_LOGISTIC;
    size_t n_cols, n_trees;
    double base, parameter;
    if (!take_word(r, "gbdt", ' ') || !take_word(r, "1", '\n'))
        return bad(r, "gbdt 1");
    const enum ft_status head = read_objective(r, &objective, &parameter);
    if (head != FT_OK)
        return head;
    if (!take_word(r, "columns", ' ') || !take_count(r, '\n', FOREST_MAX_COLS, &n_cols) ||
        n_cols == 0)
        return bad(r, "columns N");
    if (!take_word(r, "base", ' ') || !take_number(r, '\n', &base) || !isfinite(base))
        return bad(r, "base NUMBER");
    if (!take_word(r, "trees", ' ') || !take_count(r, '\n', FOREST_MAX_TREES, &n_trees))
        return bad(r, "trees N");
    *out = forest_new(objective, n_cols, base);
    if (*out == NULL)
        return ft_fail(r->err, FT_NOMEM, "trees: no memory");
    (*out)->parameter = parameter;
    for (size_t t = 0; t < n_trees; t++) {
        const enum ft_status st = read_tree(r, *out);
        if (st != FT_OK)
            return st;
    }
    if (!take_word(r, "end", '\n') || r->at != r->end)
        return bad(r, "end and nothing after it");
    return FT_OK;
}

enum ft_status gbdt_read(const char *text, size_t len, struct gbdt **out, struct ft_err *err)
{
    struct reader r = {text, text + len, 1, err};
    struct gbdt *g = NULL;
    *out = NULL;
    const enum ft_status st = read_forest(&r, &g);
    if (st != FT_OK) {
        gbdt_free(g);
        return st;
    }
    forest_finish(g);
    *out = g;
    return FT_OK;
}
