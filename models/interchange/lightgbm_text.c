/* Format: src/io/gbdt_model_text.cpp and src/io/tree.cpp of LightGBM 3 and 4: a head of key=value
 * lines, a block of such lines per tree, "end of trees". Internal nodes are numbered from 0; a
 * negative child -k - 1 is leaf k. */
#include "models/interchange/foreign.h"

#include "models/gbdt/forest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CATEGORICAL = 1, DEFAULT_LEFT = 2, MISSING_SHIFT = 2 };
enum { MISSING_NONE, MISSING_ZERO, MISSING_NAN };
enum { MAX_WORDS = 1 << 16 /* of a set, most of them empty */ };

/* Lines of the file, one after the other. */
struct lines {
    const char *at, *end;
};

struct line {
    const char *p;
    size_t len;
};

static bool next_line(struct lines *l, struct line *out)
{
    if (l->at == l->end)
        return false;
    const char *stop = memchr(l->at, '\n', (size_t)(l->end - l->at));
    const char *end = stop != NULL ? stop : l->end;
    *out = (struct line){l->at, (size_t)(end - l->at)};
    if (out->len > 0 && out->p[out->len - 1] == '\r')
        out->len--;
    l->at = stop != NULL ? stop + 1 : l->end;
    return true;
}

/* Value of "key=value" when the line has that key. */
static bool has_key(const struct line *line, const char *key, struct line *value)
{
    const size_t n = strlen(key);
    if (line->len <= n || memcmp(line->p, key, n) != 0 || line->p[n] != '=')
        return false;
    *value = (struct line){line->p + n + 1, line->len - n - 1};
    return true;
}

static bool is_text(const struct line *line, const char *text)
{
    return line->len == strlen(text) && memcmp(line->p, text, line->len) == 0;
}

static bool begins_with(const struct line *line, const char *text)
{
    const size_t n = strlen(text);
    return line->len >= n && memcmp(line->p, text, n) == 0;
}

/* The next number of a list separated by blanks; moves on. */
static bool next_number(struct line *list, double *out)
{
    char text[64];
    size_t n = 0;
    while (list->len > 0 && *list->p == ' ') {
        list->p++;
        list->len--;
    }
    if (list->len == 0)
        return false; /* an empty list has no bytes to point at */
    while (n < list->len && n + 1 < sizeof(text) && list->p[n] != ' ') {
        text[n] = list->p[n];
        n++;
    }
    text[n] = '\0';
    list->p += n;
    list->len -= n;
    char *end = NULL;
    *out = strtod(text, &end);
    return n > 0 && *end == '\0';
}

/* --- head ------------------------------------------------------------------------------------- */

struct head {
    size_t n_cols;
    enum gbdt_objective objective;
    double sigmoid; /* factor of the raw score */
    bool is_average;
};

static enum ft_status read_objective(const struct line *v, struct head *h, struct ft_err *err)
{
    static const struct {
        const char *name;
        enum gbdt_objective objective;
    } known[] = {
        {"regression", GBDT_SQUARED}, {"regression_l1", GBDT_SQUARED}, {"huber", GBDT_SQUARED},
        {"fair", GBDT_SQUARED},       {"quantile", GBDT_SQUARED},      {"mape", GBDT_SQUARED},
        {"poisson", GBDT_POISSON},    {"gamma", GBDT_POISSON},         {"tweedie", GBDT_POISSON}};
    struct line name = *v, rest;
    const char *blank = memchr(v->p, ' ', v->len);
    if (blank != NULL)
        name.len = (size_t)(blank - v->p);
    rest = (struct line){name.p + name.len, v->len - name.len};
    if (is_text(&name, "binary")) {
        static const char *const key = " sigmoid:";
        struct line number = {rest.p + strlen(key), rest.len - strlen(key)};
        h->objective = GBDT_LOGISTIC;
        if (begins_with(&rest, key) && next_number(&number, &h->sigmoid) && h->sigmoid > 0)
            return FT_OK;
        return ft_fail(err, FT_INVALID, "objective '%.*s': expected binary sigmoid:X",
                       (int)(v->len < 60 ? v->len : 60), v->p);
    }
    for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); k++)
        if (is_text(&name, known[k].name) && !(k == 0 && begins_with(&rest, " sqrt"))) {
            h->objective = known[k].objective;
            return FT_OK;
        }
    return ft_fail(err, FT_INVALID,
                   "objective '%.*s', expected binary, regression, regression_l1, huber, fair, "
                   "quantile, mape, poisson, gamma or tweedie",
                   (int)(v->len < 60 ? v->len : 60), v->p);
}

static enum ft_status read_names(struct line list, size_t n, struct foreign_names *out,
                                 struct ft_err *err)
{
    foreign_names_free(out);
    out->names = calloc(n, sizeof(*out->names));
    if (out->names == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for %zu names", n);
    while (list.len > 0 && out->n < n) {
        const char *blank = memchr(list.p, ' ', list.len);
        const size_t len = blank != NULL ? (size_t)(blank - list.p) : list.len;
        out->names[out->n] = strndup(list.p, len);
        if (out->names[out->n] == NULL)
            return ft_fail(err, FT_NOMEM, "no memory for %zu names", n);
        out->n++;
        const size_t used = len + (blank != NULL);
        list = (struct line){list.p + used, list.len - used};
    }
    return out->n == n && list.len == 0
               ? FT_OK
               : ft_fail(err, FT_INVALID, "feature_names: expected %zu names", n);
}

/* Up to the first blank line behind the keys. */
static enum ft_status read_head(struct lines *l, struct head *h, struct foreign_names *names,
                                struct ft_err *err)
{
    struct line line, v;
    double number = 0;
    bool has_objective = false;
    if (!next_line(l, &line) || !is_text(&line, "tree"))
        return ft_fail(err, FT_INVALID, "line 1: expected 'tree'");
    *h = (struct head){.sigmoid = 1};
    while (next_line(l, &line) && line.len > 0) {
        enum ft_status st = FT_OK;
        if (has_key(&line, "num_class", &v) || has_key(&line, "num_tree_per_iteration", &v)) {
            if (!next_number(&v, &number) || number != 1)
                st = ft_fail(err, FT_INVALID, "several classes, expected one output");
        } else if (has_key(&line, "max_feature_idx", &v)) {
            if (!next_number(&v, &number) || !(number >= 0 && number < FOREST_MAX_COLS))
                st = ft_fail(err, FT_INVALID, "max_feature_idx is out of range");
            else
                h->n_cols = (size_t)number + 1;
        } else if (has_key(&line, "objective", &v)) {
            has_objective = true;
            st = read_objective(&v, h, err);
        } else if (has_key(&line, "feature_names", &v) && h->n_cols > 0) {
            st = read_names(v, h->n_cols, names, err);
        } else if (is_text(&line, "average_output")) {
            h->is_average = true;
        }
        if (st != FT_OK)
            return st;
    }
    if (h->n_cols == 0 || !has_objective)
        return ft_fail(err, FT_INVALID, "the head lacks max_feature_idx or objective");
    return FT_OK;
}

/* --- trees ------------------------------------------------------------------------------------ */

/* The lists of one tree. */
enum { SPLIT_FEATURE, SPLIT_GAIN, THRESHOLD, DECISION, LEFT, RIGHT, INNER_WEIGHT, N_INNER };
enum { LEAF_VALUE, LEAF_WEIGHT, N_LEAF };
struct block {
    size_t n_leaves;
    struct line inner[N_INNER], leaf[N_LEAF], cat_boundaries, cat_threshold;
    double n_cat;         /* number of sets of categories */
    struct code_set *set; /* [n_cat], owned; NULL = none */
    bool is_linear;
};

/* One set: bit c % 32 of word c / 32 is category c. False: not well formed, or a category that has
 * no number here. */
static bool read_set(struct line *words, size_t n_words, struct code_set *set)
{
    double word = 0;
    for (size_t w = 0; w < n_words; w++) {
        if (!next_number(words, &word) || !(word >= 0 && word <= UINT32_MAX) || word != floor(word))
            return false;
        for (unsigned bit = 0; bit < 32; bit++)
            if ((uint32_t)word >> bit & 1) {
                if (w * 32 + bit >= MAX_CATEGORIES)
                    return false;
                code_set_add(set, (unsigned)w * 32 + bit);
            }
    }
    return true;
}

/* Set k has the words cat_boundaries[k] to cat_boundaries[k + 1]. */
static enum ft_status read_sets(struct block *b, struct ft_err *err)
{
    double from = 0, to = 0;
    if (b->n_cat == 0)
        return FT_OK;
    if (!(b->n_cat > 0 && b->n_cat < (double)b->n_leaves) || b->n_cat != floor(b->n_cat))
        return ft_fail(err, FT_INVALID, "num_cat, expected 0 to the number of splits");
    const size_t n = (size_t)b->n_cat;
    b->set = calloc(n, sizeof(*b->set));
    if (b->set == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for sets of categories");
    bool is_well = next_number(&b->cat_boundaries, &from) && from == 0;
    for (size_t k = 0; k < n && is_well; k++) {
        is_well = next_number(&b->cat_boundaries, &to) && to >= from && to <= from + MAX_WORDS &&
                  to == floor(to) && read_set(&b->cat_threshold, (size_t)(to - from), &b->set[k]);
        from = to;
    }
    return is_well ? FT_OK
                   : ft_fail(err, FT_INVALID,
                             "cat_boundaries and cat_threshold, expected sets of categories from "
                             "0 to %d",
                             MAX_CATEGORIES - 1);
}

static enum ft_status read_block(struct lines *l, struct block *b, struct ft_err *err)
{
    static const char *const inner[N_INNER] = {"split_feature",  "split_gain", "threshold",
                                               "decision_type",  "left_child", "right_child",
                                               "internal_weight"};
    static const char *const leaf[N_LEAF] = {"leaf_value", "leaf_weight"};
    struct line line, v;
    double number = 0;
    *b = (struct block){0};
    while (next_line(l, &line) && line.len > 0) {
        if (has_key(&line, "num_leaves", &v) && next_number(&v, &number) && number >= 1 &&
            number <= FOREST_MAX_LEAVES)
            b->n_leaves = (size_t)number;
        else if (has_key(&line, "num_cat", &v) && !next_number(&v, &b->n_cat))
            b->n_cat = -1;
        else if (has_key(&line, "is_linear", &v))
            b->is_linear = !next_number(&v, &number) || number != 0;
        if (has_key(&line, "cat_boundaries", &v))
            b->cat_boundaries = v;
        if (has_key(&line, "cat_threshold", &v))
            b->cat_threshold = v;
        for (int k = 0; k < N_INNER; k++)
            if (has_key(&line, inner[k], &v))
                b->inner[k] = v;
        for (int k = 0; k < N_LEAF; k++)
            if (has_key(&line, leaf[k], &v))
                b->leaf[k] = v;
    }
    if (b->n_leaves == 0)
        return ft_fail(err, FT_INVALID, "num_leaves, expected 1 to %d", FOREST_MAX_LEAVES);
    if (b->is_linear)
        return ft_fail(err, FT_INVALID, "a linear tree, which this importer does not know");
    return read_sets(b, err);
}

/* Number of a child among nodes[]: internal ones first, then leaves. */
static bool child_of(double child, size_t n_leaves, size_t *out)
{
    if (!(child >= -(double)n_leaves && child < (double)n_leaves - 1) || child != floor(child))
        return false;
    *out = child >= 0 ? (size_t)child : n_leaves - 1 + (size_t)(-child - 1);
    return true;
}

static bool read_inner(struct block *b, struct foreign_node *node)
{
    double v[N_INNER] = {0};
    for (int k = 0; k < N_INNER; k++)
        if (!next_number(&b->inner[k], &v[k]) && k != SPLIT_GAIN && k != INNER_WEIGHT)
            return false;
    if (!(v[DECISION] >= 0 && v[DECISION] < 16) || !(v[SPLIT_FEATURE] >= 0) ||
        v[SPLIT_FEATURE] >= FOREST_MAX_COLS)
        return false;
    const unsigned decision = (unsigned)v[DECISION];
    const unsigned missing = decision >> MISSING_SHIFT;
    node->is_set = (decision & CATEGORICAL) != 0;
    if (!node->is_set && (missing == MISSING_ZERO || missing > MISSING_NAN))
        return false;
    if (node->is_set) {
        if (!(v[THRESHOLD] >= 0 && v[THRESHOLD] < b->n_cat))
            return false;
        node->set = b->set[(size_t)v[THRESHOLD]];
    }
    node->column = (uint32_t)v[SPLIT_FEATURE];
    node->value = v[THRESHOLD];
    node->gain = v[SPLIT_GAIN];
    node->cover = v[INNER_WEIGHT];
    /* Without missing values in training, LightGBM takes a missing number for 0. */
    node->is_missing_left = node->is_set             ? false
                            : missing == MISSING_NAN ? (decision & DEFAULT_LEFT) != 0
                                                     : 0 <= v[THRESHOLD];
    return child_of(v[LEFT], b->n_leaves, &node->left) &&
           child_of(v[RIGHT], b->n_leaves, &node->right);
}

static enum ft_status read_tree(struct lines *l, const struct head *h, struct gbdt *g,
                                struct ft_err *err)
{
    struct block b;
    enum ft_status st = read_block(l, &b, err);
    if (st != FT_OK) {
        free(b.set);
        return ft_err_prefix(err, "tree %zu", g->n_trees);
    }
    const size_t n_inner = b.n_leaves - 1;
    struct foreign_node *nodes = calloc(2 * b.n_leaves, sizeof(*nodes));
    if (nodes == NULL)
        st = ft_fail(err, FT_NOMEM, "no memory for %zu leaves", b.n_leaves);
    for (size_t i = 0; i < n_inner && st == FT_OK; i++)
        if (!read_inner(&b, &nodes[i]))
            st = ft_fail(err, FT_INVALID,
                         "tree %zu, split %zu is not well formed, or takes zeros for missing",
                         g->n_trees, i);
    for (size_t i = 0; i < b.n_leaves && st == FT_OK; i++) {
        struct foreign_node *leaf = &nodes[n_inner + i];
        leaf->is_leaf = true;
        if (!next_number(&b.leaf[LEAF_VALUE], &leaf->value))
            st = ft_fail(err, FT_INVALID, "tree %zu, leaf %zu has no value", g->n_trees, i);
        leaf->value *= h->sigmoid;
        if (!next_number(&b.leaf[LEAF_WEIGHT], &leaf->cover))
            leaf->cover = 1;
    }
    if (st == FT_OK)
        st = foreign_add_tree(g, nodes, n_inner + b.n_leaves, err);
    free(nodes);
    free(b.set);
    return st;
}

/* A random forest answers with the mean of its trees. */
static void average(struct gbdt *g)
{
    for (size_t i = 0; i < g->n_nodes; i++)
        if (g->node[i].child == 0)
            g->node[i].value /= (double)g->n_trees;
}

enum ft_status lightgbm_import(const char *text, size_t len, struct model **out,
                               struct foreign_names *names, struct ft_err *err)
{
    struct lines l = {text, text + len};
    struct head h;
    struct line line;
    bool is_ended = false;
    *out = NULL;
    *names = (struct foreign_names){0};
    enum ft_status st = read_head(&l, &h, names, err);
    if (st != FT_OK)
        return st;
    struct gbdt *g = forest_new(h.objective, h.n_cols, 0);
    if (g == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for a model");
    while (st == FT_OK && !is_ended && next_line(&l, &line)) {
        if (begins_with(&line, "Tree="))
            st = read_tree(&l, &h, g, err);
        is_ended = is_text(&line, "end of trees");
    }
    if (st == FT_OK && !is_ended)
        st = ft_fail(err, FT_INVALID, "'end of trees' is missing: the file is cut off");
    if (st != FT_OK) {
        gbdt_free(g);
        return st;
    }
    if (h.is_average && g->n_trees > 0)
        average(g);
    return foreign_model(g, out, err);
}
