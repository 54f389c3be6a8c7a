"""Expected answers of `fettle fit` and `fettle score` on a small table: scikit-learn's logistic regression (elastic
net, class weights), ridge and metrics, R's coxph, survreg and concordance (survival). Writes fit_cli.json with the
table in it. Made with scikit-learn 1.2.1 and R 4.2.2, survival 3.5-3.  Usage: fit_cli.py > fit_cli.json"""
import json
import subprocess
import tempfile

import numpy as np
from sklearn import metrics
from sklearn.linear_model import LogisticRegression, Ridge

R_SCRIPT = """
library(survival)
d <- read.csv("%s")
s <- Surv(d$hours, d$failed)
cox <- coxph(s ~ wear + load + heat, d, ties = "efron")
out <- list(cox = unname(predict(cox, type = "lp")))
con <- concordance(s ~ predict(cox, type = "lp"), reverse = TRUE)
out$concordance <- con$concordance
# IPCW metrics as in metrics_survival.R (a shift that timefix leaves alone), at eleven times from the first to the last decile of the failures
g <- survfit(Surv(hours - 0.02 * failed, 1 - failed) ~ 1, d)
G <- function(t) c(1, g$surv)[findInterval(t, g$time) + 1]
seen <- sort(d$hours[d$failed == 1]); m <- length(seen)
times <- seq(seen[m %%/%% 10 + 1], seen[m - m %%/%% 10], length.out = 11)
curve <- sapply(times, function(t) 1 - summary(survfit(cox, newdata = d), times = t, extend = TRUE)$surv)
curve <- matrix(curve, nrow = nrow(d))
out$times <- times
out$auc <- sapply(seq_along(times), function(k) {
    t <- times[k]; case <- which(d$failed == 1 & d$hours <= t); control <- which(d$hours > t)
    w <- 1 / G(d$hours[case] - 0.01)
    z <- outer(curve[case, k], curve[control, k], function(a, b) (a > b) + (a == b) / 2)
    sum(w * z) / (sum(w) * length(control))
})
out$brier <- sapply(seq_along(times), function(k) {
    t <- times[k]
    mean(ifelse(d$hours > t, curve[, k]^2 / G(t), ifelse(d$failed == 1, (1 - curve[, k])^2 / G(d$hours - 0.01), 0)))
})
out$brier_integrated <- mean((head(out$brier, -1) + tail(out$brier, -1)) / 2)
for (law in c("weibull", "lognormal", "loglogistic")) {
    m <- survreg(s ~ wear + load + heat, d, dist = law)
    w <- predict(m, type = "quantile", p = 0.5)
    out[[law]] <- unname(-log(w))
}
num <- function(v) paste0("[", paste(sprintf("%%.15g", v), collapse = ","), "]")
cat("{", paste(sprintf('"%%s":%%s', names(out), sapply(out, num)), collapse = ","), "}")
"""

N = 240


def make():
    rng = np.random.default_rng(5)
    x = np.round(rng.normal(size=(N, 3)) * [1, 2, 5] + [0, 10, 50], 3)
    z = 1.5 * x[:, 0] - 0.4 * (x[:, 1] - 10) - 1
    fail = (rng.random(N) < 1 / (1 + np.exp(-z))).astype(int)
    value = np.round(3 * x[:, 0] - x[:, 1] + 0.1 * x[:, 2] + rng.normal(size=N), 4)
    life = 100 * np.exp(-0.5 * x[:, 0] + 0.1 * (x[:, 1] - 10)) * rng.weibull(1.7, N)
    end = rng.uniform(20, 300, N)
    hours = np.round(np.minimum(life, end), 1) + 0.1
    return x, fail, value, hours, (life <= end).astype(int)


def main():
    x, fail, value, hours, failed = make()
    lines = ["wear,load,heat,fail,value,hours,failed"]
    lines += [f"{a},{b},{c},{f},{v},{h:.1f},{e}" for (a, b, c), f, v, h, e in zip(x, fail, value, hours, failed)]
    table = "\n".join(lines) + "\n"
    def standardise(weight):
        mean = np.average(x, axis=0, weights=weight)
        return (x - mean) / np.sqrt(np.average((x - mean) ** 2, axis=0, weights=weight))

    odds = (fail == 0).sum() / fail.sum()
    standard, thrice, even = (standardise(np.where(fail == 1, w, 1)) for w in (1, 3, odds))
    net = LogisticRegression(penalty="elasticnet", solver="saga", C=1 / 6, l1_ratio=0.4, class_weight={0: 1, 1: 3},
                             tol=1e-13, max_iter=10 ** 6).fit(thrice, fail)
    balanced = LogisticRegression(solver="newton-cholesky", C=1 / 2, class_weight={0: 1, 1: odds}, tol=1e-12,
                                  max_iter=10 ** 5).fit(even, fail)
    p = net.predict_proba(thrice)[:, 1]
    ridge = Ridge(alpha=7).fit(standard, value).predict(standard)
    out = {"table": table,
           "net": {"prediction": p.tolist(), "auc": metrics.roc_auc_score(fail, p),
                   "pr_auc": metrics.average_precision_score(fail, p), "logloss": metrics.log_loss(fail, p),
                   "brier": metrics.brier_score_loss(fail, p)},
           "balanced": balanced.predict_proba(even)[:, 1].tolist(),
           "ridge": {"prediction": ridge.tolist(), "rmse": metrics.mean_squared_error(value, ridge) ** 0.5,
                     "mae": metrics.mean_absolute_error(value, ridge)}}
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as f:
        f.write(table)
        f.flush()
        done = subprocess.run(["Rscript", "-e", R_SCRIPT % f.name], capture_output=True, text=True, check=True)
    out["lives"] = json.loads(done.stdout)
    print(json.dumps(out))


main()
