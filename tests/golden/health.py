#!/usr/bin/python3
"""Golden numbers of models/health.c: the same method in NumPy, on a small made-up fleet.
Usage: health.py > health.h"""
import numpy as np

P, K, UNITS, ROWS, REGIMES = 5, 2, 4, 60, 2
state = 1


def draw():
    global state
    state = (state * 1103515245 + 12345) % 2**31
    return state / 2**31 - 0.5


def fleet():
    x = np.empty((UNITS, ROWS, P))
    regime = np.empty((UNITS, ROWS), int)
    for u in range(UNITS):
        for i in range(ROWS):
            regime[u, i] = 1 if draw() > 0 else 0
            wear = (i / ROWS) ** 2 * 6
            for j in range(P):
                noise = draw() + draw() + draw()
                x[u, i, j] = (100 * regime[u, i] + (j + 1) * (1 + regime[u, i])
                              + (1 if j % 2 else -1) * wear * (j + 1) / P + noise)
    return x, regime


def smooth(x, w, half_life):
    keep, out = 0.5 ** (1 / half_life), np.empty_like(x)
    s, m = np.zeros(x.shape[1]), np.zeros(x.shape[1])
    for i in range(len(x)):
        s, m = s * keep + w[i] * x[i], m * keep + w[i]
        out[i] = s / m
    return out


def main():
    x, regime = fleet()
    mean = np.array([x[regime == r].mean(0) for r in range(REGIMES)])
    std = np.array([x[regime == r].std(0) for r in range(REGIMES)])
    z = np.clip((x - mean[regime]) / std[regime], -6, 6)
    d = np.vstack([np.diff(u, axis=0) for u in z])
    s = d.T @ d / len(d) / 2 + 1e-3 * np.eye(P)
    w, v = np.linalg.eigh(s)
    white = v @ np.diag(w ** -0.5) @ v.T
    sm = [smooth(u @ white, np.ones_like(u), 15) for u in z]
    a = np.vstack([u[10:] for u in sm])
    vec = np.linalg.eigh(np.cov(a.T, bias=True))[1].T[::-1][:K]
    # The sign before orientation does not matter: each channel is turned towards failure.
    h = [u @ vec.T for u in sm]
    turn = np.sign(np.median([u[-8:].mean(0) for u in h], axis=0)
                   - np.median([u[:16].mean(0) for u in h], axis=0))
    h = [u * turn for u in h]
    flat, rf = np.vstack(z), regime.reshape(-1)
    for _ in range(2):
        g = np.hstack([np.ones((len(flat), 1)), np.vstack(h)])
        common = np.linalg.solve(g.T @ g + 1e-6 * np.eye(K + 1), g.T @ flat)
        off, load, score, prec = [], [], [], []
        for r in range(REGIMES):
            gr, zr = g[rf == r], flat[rf == r]
            b = np.linalg.solve(gr.T @ gr + 50 * np.eye(K + 1), gr.T @ zr + 50 * common)
            e = zr - gr @ b
            si = np.linalg.inv(e.T @ e / len(e) + 1e-2 * np.eye(P))
            m = b[1:] @ si @ b[1:].T
            off.append(b[0])
            load.append(b[1:])
            score.append(np.linalg.solve(m + np.eye(K), b[1:] @ si))
            prec.append(np.diag(m))
        raw = [np.array([score[r] @ (t - off[r]) for t, r in zip(u, q)]) for u, q in zip(z, regime)]
        pw = [np.array([prec[r] for r in q]) for q in regime]
        h = [smooth(a, b, 15) for a, b in zip(raw, pw)]
    scale = 1 / np.sqrt((np.vstack([np.diff(u, axis=0) for u in raw]) ** 2).mean(0) / 2)
    raw = [u * scale for u in raw]
    start = np.median([u[:16].mean(0) for u in raw], axis=0)
    level = np.median([u[-8:].mean(0) for u in raw], axis=0)
    turn = np.where(level < start, -1, 1)
    raw = [u * turn for u in raw]
    print("/* Written by tests/golden/health.py: do not edit. */")
    print("#ifndef TESTS_GOLDEN_HEALTH_H\n#define TESTS_GOLDEN_HEALTH_H\n")
    for name, values in (("start", start * turn), ("level", level * turn), ("scale", scale),
                         ("first", raw[1][0]), ("last", raw[3][-1])):
        print(f"static const double golden_health_{name}[] = {{%s}};"
              % ", ".join("%.12g" % q for q in values))
    print("\n#endif")


main()
