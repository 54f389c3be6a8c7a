"""Writes xgboost_models.h: three small XGBoost models as JSON and their own predictions on rows with missing
values and values right at thresholds. Made with XGBoost 1.7.4 (Debian python3-xgboost).
Run: python3 tests/golden/xgboost_models.py > tests/golden/xgboost_models.h"""
import json
import pathlib
import tempfile

import numpy as np
import xgboost as xgb

rng = np.random.default_rng(5)
N, M = 400, 5
x = rng.normal(size=(N, M))
x[:, 2] = np.round(x[:, 2], 1)
x[rng.random((N, M)) < 0.1] = np.nan
z = np.nan_to_num(x[:, 0]) - 2 * np.nan_to_num(x[:, 2]) + (np.isnan(x[:, 1]) * 1.5)
targets = {"binary:logistic": (rng.random(N) < 1 / (1 + np.exp(-z))).astype(float),
           "reg:squarederror": z + rng.normal(size=N) * 0.1,
           "count:poisson": rng.poisson(np.exp(0.4 * z)).astype(float)}


def text(name, value):
    print(f"static const char {name}[] =")
    parts = [value[i:i + 80].replace('"', '\\"') for i in range(0, len(value), 80)]
    print("\n".join(f'    "{part}"' for part in parts) + ";\n")


def number(v):
    return "NAN" if np.isnan(v) else float(v).hex()


print("/* Made by tests/golden/xgboost_models.py with XGBoost %s. */" % xgb.__version__)
print("#ifndef TESTS_GOLDEN_XGBOOST_MODELS_H\n#define TESTS_GOLDEN_XGBOOST_MODELS_H\n\n#include <math.h>\n")
rows = None
for k, (objective, y) in enumerate(targets.items()):
    d = xgb.DMatrix(x, label=y, feature_names=["temp", "load", "vib", "age", "rpm"])
    b = xgb.train({"objective": objective, "max_depth": 3, "eta": 0.4, "base_score": 0.3, "nthread": 1}, d, 4)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "m.json"
        b.save_model(path)
        model = json.loads(path.read_text())
    if rows is None:  # rows of the table, and the thresholds of this model just below, at and just above
        near = []
        for tree in model["learner"]["gradient_booster"]["model"]["trees"]:
            for left, column, at in zip(tree["left_children"], tree["split_indices"], tree["split_conditions"]):
                if left >= 0 and len(near) < 30:
                    for v in (np.nextafter(at, -1e9), at, (at + float(np.nextafter(np.float32(at), np.float32(-1e9)))) / 2):
                        row = x[len(near)].copy()
                        row[column] = v
                        near.append(row)
        rows = np.vstack([x[:30], near])
        print("enum { XGBOOST_ROWS = %d, XGBOOST_COLS = %d };\n" % rows.shape)
        print("static const double xgboost_rows[XGBOOST_ROWS][XGBOOST_COLS] = {")
        for row in rows:
            print("    {" + ", ".join(map(number, row)) + "},")
        print("};\n")
    text(f"xgboost_model_{k}", json.dumps(model, separators=(",", ":")))
    p = b.predict(xgb.DMatrix(rows, feature_names=d.feature_names))
    print(f"static const double xgboost_prediction_{k}[XGBOOST_ROWS] = {{")
    for i in range(0, len(p), 4):
        print("    " + " ".join(f"{float(v)!r}," for v in p[i:i + 4]))
    print("};\n")
print("#endif")
