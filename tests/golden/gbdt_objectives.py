#!/usr/bin/env python3
"""Quality of scikit-learn's HistGradientBoosting and of XGBoost on seeded data at our settings, for
the objectives beyond squared and logistic, and XGBoost's contributions of a small model: writes
tests/golden/gbdt_objectives.h. The data is that of gbdt.py with times and counts added by the same
rule, so the C test makes the same rows."""
import json
import pathlib

import numpy as np
import sklearn
import xgboost
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.metrics import mean_absolute_error, mean_pinball_loss

from gbdt import N, make, uniform

LEVEL, SCALE, STEP = 0.9, 0.5, 0.25


def more(x):
    i = np.arange(2 * N, dtype=np.uint64)
    third = np.where(np.isnan(x[:, 2]), 0.75, x[:, 2])
    signal = x[:, 0] * third + 0.05 * x[:, 1] + (x[:, 3] > 0.7) * x[:, 4]
    count = sum((uniform(200 + k, i) < signal / 4).astype(float) for k in range(8))
    life = np.exp(1 - signal) * np.sqrt(-np.log(1 - uniform(103, i)))
    end = 4 * uniform(104, i) + 0.01
    return count, np.minimum(life, end), life <= end


def hist(loss, **more_settings):
    return HistGradientBoostingRegressor(
        loss=loss, max_iter=100, learning_rate=0.1, max_leaf_nodes=31, min_samples_leaf=1,
        l2_regularization=1.0, max_bins=255, early_stopping=False, **more_settings)


def boost(objective, train, **more_settings):
    return xgboost.train(dict(objective=objective, tree_method="hist", grow_policy="lossguide",
                              max_leaves=31, max_depth=0, eta=0.1, reg_lambda=1, nthread=2,
                              min_child_weight=1e-3, max_bin=255, **more_settings), train, 100)


def poisson_loss(f, y):
    return np.mean(np.exp(f) - y * f)


def partial_loss(f, time, failed):
    """Mean over failures of log(sum at risk) - f; no ties among these times."""
    order = np.argsort(-time)
    at_risk = np.logaddexp.accumulate(f[order])
    d = failed[order]
    return np.mean((at_risk - f[order])[d])


def aft_loss(f, low, high):
    """Extreme-value law; every row is an interval."""
    with np.errstate(divide="ignore"):
        log_s_low = -np.exp((np.log(low) - f) / SCALE)
        log_s_high = -np.exp((np.log(high) - f) / SCALE)
    return -np.mean(log_s_low + np.log(-np.expm1(log_s_high - log_s_low)))


def flat(tree):
    """Our text of one tree of XGBoost's JSON: breadth first; x < t as x <= the float below t."""
    left, right = tree["left_children"], tree["right_children"]
    order, lines = [0], []
    for i in order:
        if left[i] >= 0:
            order += [left[i], right[i]]
            below = float(np.nextafter(np.float32(tree["split_conditions"][i]), np.float32(-np.inf)))
            lines.append("s %d %s %s %s %s" % (tree["split_indices"][i], below.hex(),
                                               "l" if tree["default_left"][i] else "r",
                                               float(tree["loss_changes"][i]).hex(),
                                               float(tree["sum_hessian"][i]).hex()))
        else:
            lines.append("l %s %s" % (float(tree["split_conditions"][i]).hex(),
                                      float(tree["sum_hessian"][i]).hex()))
    return ["tree %d" % len(lines)] + lines


def contributions(lines):
    rng = np.random.default_rng(3)
    x = rng.normal(size=(500, 5)).astype(np.float32)
    x[rng.random(x.shape) < 0.1] = np.nan
    y = np.nan_to_num(x[:, 0]) * (np.nan_to_num(x[:, 1]) > 0) + np.abs(np.nan_to_num(x[:, 2]))
    data = xgboost.DMatrix(x, y)
    model = xgboost.train(dict(max_depth=5, eta=0.3, base_score=0.5, tree_method="hist"), data, 12)
    trees = json.loads(model.save_raw("json"))["learner"]["gradient_booster"]["model"]["trees"]
    text = ["gbdt 1", "objective squared", "columns 5", "base " + (0.5).hex(),
            "trees %d" % len(trees)] + [row for t in trees for row in flat(t)] + ["end"]
    shown = x[:20]
    parts = model.predict(xgboost.DMatrix(shown), pred_contribs=True)
    lines.append("static const char golden_shap_model[] =")
    lines += ['    "%s\\n"' % row for row in text]
    lines[-1] += ";"
    number = lambda v: "NAN" if np.isnan(v) else "%.9g" % v
    for name, values in (("x", shown), ("parts", parts)):
        lines.append("static const float golden_shap_%s[] = {%s};" %
                     (name, ", ".join(number(v) for v in values.ravel())))


def main():
    x, y, _ = make()
    count, time, failed = more(x)
    a, b = slice(None, N), slice(N, None)
    low = np.where(failed, np.floor(time / STEP) * STEP, time)
    high = np.where(failed, low + STEP, np.inf)
    result = {}
    result["ABSOLUTE"] = mean_absolute_error(y[b], hist("absolute_error").fit(x[a], y[a]).predict(x[b]))
    q = hist("quantile", quantile=LEVEL).fit(x[a], y[a]).predict(x[b])
    result["PINBALL"] = mean_pinball_loss(y[b], q, alpha=LEVEL)
    f = np.log(hist("poisson").fit(x[a], count[a]).predict(x[b]))
    result["POISSON_SKLEARN"] = poisson_loss(f, count[b])
    test = xgboost.DMatrix(x[b])
    model = boost("count:poisson", xgboost.DMatrix(x[a], count[a]))
    result["POISSON_XGBOOST"] = poisson_loss(model.predict(test, output_margin=True), count[b])
    model = boost("survival:cox", xgboost.DMatrix(x[a], np.where(failed, time, -time)[a]))
    result["COX"] = partial_loss(model.predict(test, output_margin=True).astype(float), time[b], failed[b])
    train = xgboost.DMatrix(x[a])
    train.set_float_info("label_lower_bound", low[a])
    train.set_float_info("label_upper_bound", high[a])
    model = boost("survival:aft", train, aft_loss_distribution="extreme",
                  aft_loss_distribution_scale=SCALE)
    result["AFT"] = aft_loss(model.predict(test, output_margin=True).astype(float), low[b], high[b])
    lines = [f"/* Made by tests/golden/gbdt_objectives.py with scikit-learn {sklearn.__version__} and"
             f" XGBoost {xgboost.__version__}:",
             " * losses on 20,000 rows, trained on 20,000; 100 trees, rate 0.1, 255 bins, L2 1, 31"
             " leaves. */", "/* clang-format off */",
             "#ifndef TESTS_GOLDEN_GBDT_OBJECTIVES_H", "#define TESTS_GOLDEN_GBDT_OBJECTIVES_H", "",
             "#include <math.h>", ""]
    lines += [f"#define GOLDEN_{name} {value:.12g}" for name, value in result.items()]
    lines += [f"#define GOLDEN_FAILED {failed[a].sum()}", f"#define GOLDEN_COUNTS {count[a].sum():.0f}", ""]
    contributions(lines)
    lines += ["", "#endif", ""]
    pathlib.Path(__file__).with_suffix(".h").write_text("\n".join(lines))


if __name__ == "__main__":
    main()
