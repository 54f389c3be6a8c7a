#!/usr/bin/env python3
"""One tree of XGBoost with an L1 penalty and with monotone columns, on data whose every value has a
bin of its own: writes tests/golden/gbdt_limits.h. The data is made by app/base/rng.h's rule."""
import pathlib

import numpy as np
import xgboost
from rng import uniform

ROWS, COLS, SEED = 400, 3, 91


def main():
    i = np.arange(ROWS, dtype=np.uint64)
    x = np.stack([np.floor(uniform(SEED, j, i) * 12) for j in range(COLS)], axis=1)
    y = (x[:, 0] * np.where(x[:, 0] > 6, 1, -0.5) - x[:, 1] + np.floor(uniform(SEED, 9, i) * 16) / 4
         + np.where(x[:, 2] > 5, x[:, 0], 0))
    settings = dict(tree_method="hist", grow_policy="lossguide", max_leaves=8, max_depth=0, eta=1,
                    reg_lambda=1, min_child_weight=1, base_score=float(y.mean()), max_bin=256)
    lines = [f"/* Made by tests/golden/gbdt_limits.py with XGBoost {xgboost.__version__}: predictions of"
             " every 20th row by one",
             " * tree of 8 leaves: plain, alpha 30, columns 0 and 1 monotone (rising, falling). */",
             "#ifndef TESTS_GOLDEN_GBDT_LIMITS_H", "#define TESTS_GOLDEN_GBDT_LIMITS_H", "",
             "static const double golden_limits[3][20] = {"]
    for extra in ({}, {"reg_alpha": 30}, {"monotone_constraints": "(1,-1,0)"}):
        model = xgboost.train({**settings, **extra}, xgboost.DMatrix(x, y), num_boost_round=1)
        p = model.predict(xgboost.DMatrix(x))[::20]
        lines.append("    {" + ", ".join(f"{v:.9g}" for v in p) + "},")
    lines += ["};", "", "#endif", ""]
    pathlib.Path(__file__).with_suffix(".h").write_text("\n".join(lines))


if __name__ == "__main__":
    main()
