#!/usr/bin/env python3
"""Writes data sets of other shapes than the public ones for compare.py, into the
folder given: those that scikit-learn brings along, and synthetic ones."""
import os, sys
import numpy as np, pandas as pd
from sklearn import datasets

out = sys.argv[1]
os.makedirs(out, exist_ok=True)


def write(name, d, y, seed=1, t=None):
    d = d.copy()
    r = np.random.RandomState(seed)
    d["label"] = np.asarray(y).astype(int)
    if t is None:
        test = np.zeros(len(d), bool)
        for c in (0, 1):
            at = np.flatnonzero(d.label == c)
            test[r.permutation(at)[: len(at) // 4]] = True
    else:
        d["t"] = t
        test = t > np.quantile(t, 0.75)
    d["split"] = np.where(test, "test", "train")
    d.to_csv(os.path.join(out, name + ".csv"), index=False)


def logistic(x):
    return 1 / (1 + np.exp(-x))


b = datasets.load_breast_cancer(as_frame=True)
write("cancer", b.data.rename(columns=lambda c: c.replace(" ", "_")), b.target)
b = datasets.load_diabetes(as_frame=True)
write("diabetes", b.data, b.target > b.target.median())
b = datasets.load_wine(as_frame=True)
write("wine", b.data, b.target == 1)
b = datasets.load_digits(as_frame=True)
write("digits8", b.data, b.target == 8)

r = np.random.RandomState(7)
x = r.randn(400, 8)
write("linear300", pd.DataFrame(x, columns=list("abcdefgh")), r.rand(400) < logistic(x[:, 0] - 0.8 * x[:, 1] + 0.5 * x[:, 2] - 0.5))
x = r.randn(400, 12)
write("noise300", pd.DataFrame(x), r.rand(400) < 0.3)

n = 12000
effect = {f"u{k:03d}": e for k, e in enumerate(r.randn(300) * 0.8)}
u = r.choice(list(effect), n, p=(lambda w: w / w.sum())(1 / (1 + np.arange(300))))
g = r.choice([f"g{k}" for k in range(40)], n)
z = r.rand(n)
p = logistic(np.array([effect[k] for k in u]) + 2 * np.sin(5 * z) + (g < "g2") * (z > 0.5) - 1.5)
write("categories", pd.DataFrame({"user": u, "group": g, "z": z, "w": r.rand(n)}), r.rand(n) < p)

n = 30000
x = r.randn(n, 6)
p = logistic(-6.3 + 1.2 * np.maximum(x[:, 0], 0) ** 2 + x[:, 1] + 1.5 * (x[:, 2] > 1.5) * (x[:, 3] > 0.5))
write("rare", pd.DataFrame(x, columns=list("abcdef")), r.rand(n) < p)

n = 10000
t = np.sort(r.rand(n))
x = r.randn(n, 5)
p = logistic(-1 - 2.5 * t ** 3 + x[:, 0] + np.abs(x[:, 1]) + 0.5 * x[:, 2] * x[:, 3])
write("drift", pd.DataFrame(x, columns=list("abcde")), r.rand(n) < p, t=t)

n = 8000
x = r.randn(n, 6)
p = logistic(np.where(r.rand(n) < 2, x[:, 0] + x[:, 1] ** 2 - 1 + (x[:, 2] > 0) * (x[:, 3] > 0) * 2, 0))
y = r.rand(n) < p
d = pd.DataFrame(x, columns=list("abcdef"))
for k, c in enumerate(d):
    d[c] = d[c].where(r.rand(n) > [0.1, 0.3, 0.5, 0.2, 0.0, 0.9][k])
d["a"] = d["a"].where(~(y & (r.rand(n) < 0.3)))  # missing tells something
write("missing", d, y)

n = 40000
x = r.rand(n, 10)
f = 3 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 8 * (x[:, 2] - 0.5) ** 2 + 2 * x[:, 3] + x[:, 4] - 4.5
write("friedman", pd.DataFrame(x), r.rand(n) < logistic(f))
