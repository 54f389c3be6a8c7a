/* Tree models of other programs as models of this one: raw scores to within rounding, so
 * predictions within 1e-6 of theirs. Everything is checked: a hostile file gives FT_INVALID. */
#ifndef MODELS_INTERCHANGE_FOREIGN_H
#define MODELS_INTERCHANGE_FOREIGN_H

#include "models/gbdt/category.h"
#include "models/gbdt/gbdt.h"
#include "models/model.h"

#include <stdbool.h>
#include <stddef.h>

struct foreign_names {
    char **names; /* [n], owned; NULL = the file has none */
    size_t n;
};

/* XGBoost's JSON (Booster.save_model("m.json")), gbtree, one output: binary:logistic,
 * reg:squarederror, reg:absoluteerror, reg:pseudohubererror, count:poisson. FT_INVALID: other
 * objectives, several classes or targets, categorical splits, DART. XGBoost rounds values to floats
 * before it compares; thresholds are chosen so that doubles take the same way. */
enum ft_status xgboost_import(const char *text, size_t len, struct model **out,
                              struct foreign_names *names, struct ft_err *err);

/* LightGBM's text (Booster.save_model("m.txt")), one output: binary, regression, regression_l1,
 * huber, fair, quantile, mape, poisson, gamma, tweedie. FT_INVALID: other objectives, several
 * classes, linear trees, zero_as_missing, sets with categories above 254. Columns of categories
 * hold their numbers; a missing one, one below 0 and one that no set has go right; LightGBM cuts
 * off the fraction of a number that is not whole, here it is missing. */
enum ft_status lightgbm_import(const char *text, size_t len, struct model **out,
                               struct foreign_names *names, struct ft_err *err);

void foreign_names_free(struct foreign_names *names);

/* --- shared by the readers ------------------------------------------------------------------- */

/* A node of one tree, in the file's own order. */
struct foreign_node {
    double value; /* threshold (<= goes left), or score of a leaf */
    double gain, cover;
    uint32_t column;
    bool is_leaf, is_missing_left;
    bool is_set; /* the categories of set go left, whatever value is */
    struct code_set set;
    size_t left, right;
};

/* Appends the tree whose root is nodes[0]. FT_INVALID: children out of range, a node reached twice,
 * numbers that are not finite, a column that is none. */
enum ft_status foreign_add_tree(struct gbdt *g, const struct foreign_node *nodes, size_t n,
                                struct ft_err *err);

/* The model around the trees; takes g in any case. */
enum ft_status foreign_model(struct gbdt *g, struct model **out, struct ft_err *err);

#endif
