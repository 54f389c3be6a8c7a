/* Boosted trees that also see products, ratios and differences of columns: power is torque times
 * speed, a margin is a difference, and a tree needs many splits to draw either.
 *
 * The search is part of the fit, so whatever validates the fit judges the search with it: rows that
 * are held out choose nothing. It is bounded: the MAX_BASE columns that plain trees use most, every
 * pair of them in four forms, trees on a sample of rows for all of these, and the MAX_KEPT forms
 * with the greatest gain join the columns of the final trees. Those are PRODUCTS_N_MEMBERS boosted
 * models of smaller trees on samples of rows, and the answer is the mean of their raw scores: a
 * column chosen by chance moves one of them, not the mean. */
#ifndef MODELS_PRODUCTS_H
#define MODELS_PRODUCTS_H

#include "app/base/buf.h"
#include "app/base/pool.h"
#include "app/base/status.h"
#include "models/gbdt/gbdt.h"
#include "models/matrix.h"

#include <stddef.h>

enum {
    PRODUCTS_MAX_BASE = 10,
    PRODUCTS_MAX_KEPT = 12,
    PRODUCTS_N_MEMBERS = 4,
    PRODUCTS_SEARCH_ROWS = 20000 /* looked at by the search, every n-th of more */
};

enum product_form { PRODUCT_TIMES, PRODUCT_OVER, PRODUCT_MINUS, PRODUCT_N_FORMS };
struct product {
    enum product_form form;
    size_t a, b; /* columns: a * b, a / b, a - b */
};
/* NaN when a column is missing or the result is not finite. */
double product_value(const struct product *p, const double *row);

struct products; /* opaque; never changes after fit, so any thread may score with it */

/* As gbdt_fit(); allocates a copy of x with the kept columns beside it. */
enum ft_status products_fit(const struct matrix *x, const double *y, const double *weight,
                            const struct gbdt_params *params, struct pool *pool,
                            struct products **out, struct ft_err *err);
void products_predict(const struct products *p, const struct matrix *x, double *out);
/* Into out[n_cols + 1]: what a form adds is shared evenly by its two columns. */
enum ft_status products_contributions(const struct products *p, const double *row, double *out,
                                      struct ft_err *err);
size_t products_n_cols(const struct products *p);            /* without the forms */
const struct gbdt *products_trees(const struct products *p); /* the first member */
/* One of PRODUCTS_N_MEMBERS; its columns are those of a row, then the forms. */
const struct gbdt *products_member(const struct products *p, size_t k);
/* The forms that the trees see, by falling gain in the search. */
const struct product *products_forms(const struct products *p, size_t *n);

void products_write(const struct products *p, struct buf *out);
enum ft_status products_read(const char *text, size_t len, struct products **out,
                             struct ft_err *err);
void products_free(struct products *p); /* NULL is fine */

#endif
