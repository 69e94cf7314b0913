#!/usr/bin/env python3
"""Compares `ringmaster model` with logistic regression, scikit-learn's
histogram boosting and XGBoost. CI does not need it.

    apt-get install python3-sklearn python3-xgboost python3-pandas
    go build -o /tmp/ringmaster ./cmd/ringmaster
    testdata/ml/compare.py /tmp/ringmaster FILE.csv...

Every file has the columns label (0 or 1) and split (train or test); a column t,
where there is one, is handed to --time and to nobody else. For each: log loss,
AUC and calibration error (15 bins of equally many rows) on the test rows, and
the processor time of fitting, reading the file included.
"""
import json, os, resource, subprocess, sys, tempfile, time, warnings
import numpy as np, pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
import xgboost as xgb

warnings.filterwarnings("ignore")


def read(path):
    d = pd.read_csv(path, keep_default_na=False, na_values=[""])
    y, test = d.pop("label").to_numpy(), d.pop("split").eq("test").to_numpy()
    d = d.drop(columns=[c for c in ["t"] if c in d])
    words = [c for c in d if d[c].dtype == object]
    return d, words, y, test


def calibration_error(p, y):
    at = np.argsort(p, kind="stable")
    return sum(abs((p[k] - y[k]).sum()) for k in np.array_split(at, 15)) / len(y)


def show(name, p, y, cpu, note=""):
    p = np.clip(p, 1e-5, 1 - 1e-5)
    loss = log_loss(y, p)
    print(f"  {name:18s} log loss {loss:.4f}  AUC {roc_auc_score(y, p):.4f}  calibration {calibration_error(p, y):.4f}  CPU {cpu:6.2f} s  {note}", flush=True)
    return loss


def logistic(path):
    d, words, y, test = read(path)
    numbers = [c for c in d if c not in words]
    pre = ColumnTransformer([
        ("n", make_pipeline(SimpleImputer(add_indicator=True, keep_empty_features=False) if False else SimpleImputer(add_indicator=True), StandardScaler()), numbers),
        ("w", make_pipeline(SimpleImputer(strategy="constant", fill_value="?"), OneHotEncoder(handle_unknown="ignore", min_frequency=5)), words)])
    m = make_pipeline(pre, LogisticRegression(max_iter=2000)).fit(d[~test], y[~test])
    return m.predict_proba(d[test])[:, 1], y[test]


def hist(path):
    d, words, y, test = read(path)
    if words:
        enc = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2).fit(d.loc[~test, words])
        d[words] = enc.transform(d[words])
        big = [c for c in words if d[c].max() > 250]
        d[words] = d[words].where(d[words] >= 0)
        cats = [c in words and c not in big for c in d]
    else:
        cats = None
    m = HistGradientBoostingClassifier(categorical_features=cats, random_state=0).fit(d[~test].astype(float), y[~test])
    return m.predict_proba(d[test].astype(float))[:, 1], y[test]


def boosted(path, early, depth=6):
    d, words, y, test = read(path)
    if words:
        enc = OneHotEncoder(handle_unknown="ignore", min_frequency=5).fit(d.loc[~test, words].fillna("?"))
        rest = d.drop(columns=words).astype(float).to_numpy()
        import scipy.sparse as sp
        coded = enc.transform(d[words].fillna("?")).toarray()
        x = np.hstack([rest, coded])
    else:
        x = d.astype(float).to_numpy()
    xt, yt = x[~test], y[~test]
    if not early:
        m = xgb.XGBClassifier(n_jobs=2, max_depth=depth, tree_method="hist", eval_metric="logloss").fit(xt, yt)
    else:
        a, b, ya, yb = train_test_split(xt, yt, test_size=0.15, stratify=yt, random_state=0)
        m = xgb.XGBClassifier(n_jobs=2, n_estimators=2000, learning_rate=0.05, max_depth=depth, tree_method="hist", eval_metric="logloss", early_stopping_rounds=50)
        m.fit(a, ya, eval_set=[(b, yb)], verbose=False)
    return m.predict_proba(x[test])[:, 1], y[test]


def ours(path, binary):
    d, _, y, test = read(path)
    with tempfile.TemporaryDirectory() as dir:
        model = os.path.join(dir, "model.json")
        timed = ["--time", "t"] if "t" in pd.read_csv(path, nrows=1).columns else []
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        said = subprocess.run([binary, "model", "fit", "--csv", path, "--split", "split", "--out", model, *timed], check=True, capture_output=True, text=True).stdout
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        out = subprocess.run([binary, "model", "score", "--model", model, "--csv", path], check=True, capture_output=True, text=True).stdout
        s = pd.read_csv(__import__("io").StringIO(out))
        size = os.path.getsize(model)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    width = (s.high - s.low)[test].mean()
    return s.p.to_numpy()[test], y[test], cpu, f"{size / 1000:.0f} kB, {100 * s.abstain[test].mean():.1f} % refused, interval {width:.3f}; {said.splitlines()[2]}"


def timed(f, *args):
    begin = time.process_time()
    p, y = f(*args)
    return p, y, time.process_time() - begin


def main():
    binary, files = sys.argv[1], sys.argv[2:]
    margins = []
    for path in files:
        d, words, y, test = read(path)
        print(f"{os.path.basename(path)}: {(~test).sum()} + {test.sum()} rows, {d.shape[1]} columns, {len(words)} of them categories, {100 * y.mean():.2f} % positive")
        mine = show("ringmaster", *ours(path, binary))
        lo = show("logistic", *timed(logistic, path))
        hg = show("HistGB", *timed(hist, path))
        xd = show("XGBoost default", *timed(boosted, path, False))
        xe = show("XGBoost early stop", *timed(boosted, path, True))
        d1 = show("depth 1", *timed(boosted, path, True, 1))
        print(f"  ours - min(HistGB, early stop) {mine - min(hg, xe):+.4f}; - default {mine - xd:+.4f}; - min(logistic, depth 1) {mine - min(lo, d1):+.4f}")
        margins.append(mine - min(hg, xe))
    print(f"mean difference from min(HistGB, early stop): {np.mean(margins):+.4f}")


main()
