"""Areas under the curve and distances from normal data by scikit-learn and by their definitions: the reference for
tests/metrics/auroc_test.cpp and mahalanobis_test.cpp.

The interval is written with the matrix of all pairs, as DeLong, DeLong and Clarke-Pearson (1988) define it.
Run by hand: python tests/parity/detect.py (needs numpy, scikit-learn and safetensors).
"""
import pathlib

import numpy as np
from safetensors.numpy import save_file
from scipy.spatial.distance import mahalanobis
from sklearn.covariance import ledoit_wolf
from sklearn.metrics import roc_auc_score

random = np.random.default_rng(0)
tensors = {}


def store(case, **values):
    for name, value in values.items():
        tensors[f"{case}.{name}"] = np.ascontiguousarray(value)


def delong(scores, positive):
    a, b = scores[positive], scores[~positive]
    pairs = (a[:, None] > b[None]) + 0.5 * (a[:, None] == b[None])
    of_positives, of_negatives = pairs.mean(1), pairs.mean(0)
    error = np.sqrt(of_positives.var(ddof=1) / len(a) + of_negatives.var(ddof=1) / len(b))
    return pairs.mean(), pairs.mean() - 1.959963984540054 * error, pairs.mean() + 1.959963984540054 * error


def binary():
    positive = random.random(60) < 0.3
    scores = np.round(random.standard_normal(60) + positive, 1)  # many are equal
    weights = random.random(60) + 0.1
    area, low, high = delong(scores, positive)
    assert np.isclose(area, roc_auc_score(positive, scores))
    store("binary", scores=scores, positive=positive.astype(np.uint8), weights=weights, area=np.array(area),
          low=np.array(low), high=np.array(high),
          weighted=np.array(roc_auc_score(positive, scores, sample_weight=weights)))


def classifier(classes):
    labels = np.concatenate([np.arange(classes), random.integers(0, classes, 40)])
    logits = random.standard_normal((len(labels), classes)) + 1.2 * np.eye(classes)[labels]
    weights = random.random(len(labels)) + 0.1
    share = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    of = lambda **more: roc_auc_score(labels, share[:, 1] if classes == 2 else share, multi_class="ovr", **more)
    by_class = [roc_auc_score(labels == k, share[:, k], sample_weight=weights) for k in range(classes)]
    store(f"classes{classes}", logits=logits, labels=labels.astype(np.int64), weights=weights, area=np.array(of()),
          weighted=np.array(np.mean(by_class)))


def distances():
    labels = np.arange(50) % 3
    scale = np.exp(random.standard_normal(6))
    known = (random.standard_normal((50, 6)) + 2 * np.eye(3, 6)[labels]) * scale
    other = 3 * random.standard_normal((9, 6)) * scale
    for name, of in [("plain", np.zeros(50, int)), ("classes", labels)]:
        means = np.array([known[of == k].mean(0) for k in np.unique(of)])
        matrix, share = ledoit_wolf(known - means[of], assume_centered=True)
        inverse = np.linalg.inv(matrix)
        store(name, share=np.array(share), matrix=matrix,
              distances=np.array([min(mahalanobis(x, m, inverse) for m in means) for x in other]))
    store("distances", known=known, labels=labels.astype(np.int64), other=other)


binary()
for count in (2, 4):
    classifier(count)
distances()
save_file(tensors, pathlib.Path(__file__).with_suffix(".safetensors"))
