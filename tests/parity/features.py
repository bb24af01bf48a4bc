"""Probes, neighbours and scores of transferability by scikit-learn, SciPy and plain NumPy: the reference for tests/transfer.

LogME is written with the dense matrix A = αI + βFᵀF of its paper, not with singular values. Everything is float64.
Run by hand: python tests/parity/features.py (needs numpy, scipy, scikit-learn and safetensors).
"""
import pathlib

import numpy as np
from safetensors.numpy import save_file
from scipy.stats import kendalltau
from sklearn.covariance import ledoit_wolf
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

random = np.random.default_rng(0)
tensors = {}


def store(case, **values):
    for name, value in values.items():
        tensors[f"{case}.{name}"] = np.ascontiguousarray(value)


def task(count, features, classes, spread=1.0):
    """Classes that overlap, in features of very different scales."""
    labels = np.arange(count) % classes
    centres = spread * random.standard_normal((classes, features))
    values = centres[labels] + random.standard_normal((count, features))
    values = values * np.exp(random.standard_normal(features)) + 3 * random.standard_normal(features)
    return values.astype(np.float32).astype(np.float64), labels


def log_loss(values, labels, weight, bias, shares):
    logits = values @ weight.T + bias
    logits = logits - logits.max(1, keepdims=True)
    log_p = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    return -(shares * log_p[np.arange(len(labels)), labels]).sum()


def probe(case, count, features, classes, l2, weighted=False):
    values, labels = task(count, features, classes)
    weights = random.uniform(0.2, 2, count) if weighted else np.ones(count)
    scaler = StandardScaler().fit(values)
    seen = scaler.transform(values)
    model = LogisticRegression(C=1 / (l2 * weights.sum()), tol=1e-12, max_iter=100000, solver="newton-cg")
    model.fit(seen, labels, sample_weight=weights)
    weight, bias = model.coef_, model.intercept_
    loss = log_loss(seen, labels, weight, bias, weights / weights.sum()) + 0.5 * l2 * (weight ** 2).sum()
    store(case, features=values, labels=labels, weights=weights, l2=np.float64(l2), loss=loss,
          weight=weight / scaler.scale_, logits=seen @ weight.T + bias - (seen @ weight.T + bias).mean(1, keepdims=True))


def neighbours():
    values, labels = task(40, 5, 3, spread=1.5)
    others, _ = task(12, 5, 3)
    k, temperature = 7, 0.07
    bank = values / np.linalg.norm(values, axis=1, keepdims=True)
    votes = np.zeros((len(others), 3))
    for i, x in enumerate(others):
        similarity = bank @ (x / np.linalg.norm(x))
        for j in np.argsort(-similarity)[:k]:
            votes[i, labels[j]] += np.exp(similarity[j] / temperature)
    euclidean = KNeighborsClassifier(k, weights="distance").fit(values, labels).predict_proba(others)
    right = 0
    for i in range(len(values)):
        others_of = np.array([j for j in range(len(values)) if j != i])
        similarity = bank[others_of] @ bank[i]
        one = np.zeros(3)
        for j in np.argsort(-similarity)[:5]:
            one[labels[others_of[j]]] += np.exp(similarity[j] / temperature)
        right += one.argmax() == labels[i]
    store("neighbours", features=values, labels=labels, others=others, cosine=votes, euclidean=euclidean,
          agreement=np.float64(right / len(values)))


def logme(values, labels):
    count, features = values.shape
    evidences = []
    for label in np.unique(labels):
        y = (labels == label).astype(float)
        alpha = beta = 1.0
        for _ in range(100):
            before = alpha / beta
            inverse = np.linalg.inv(alpha * np.eye(features) + beta * values.T @ values)
            mean = beta * inverse @ values.T @ y
            gamma = features - alpha * np.trace(inverse)
            length, residual = mean @ mean, ((values @ mean - y) ** 2).sum()
            alpha, beta = gamma / (length + 1e-5), (count - gamma) / (residual + 1e-5)
            _, log_det = np.linalg.slogdet(alpha * np.eye(features) + beta * values.T @ values)
            evidence = (features * np.log(alpha) + count * np.log(beta) - count * np.log(2 * np.pi)
                        - beta * residual - alpha * length - log_det) / 2
            if abs(alpha / beta - before) <= 1e-3 * before:
                break
        evidences.append(evidence / count)
    return np.mean(evidences)


def leep(labels, probabilities, classes):
    count, sources = probabilities.shape
    joint = np.zeros((classes, sources))
    for i in range(count):
        joint[labels[i]] += probabilities[i] / count
    given = joint / joint.sum(0)
    return np.mean([np.log((given[labels[i]] * probabilities[i]).sum()) for i in range(count)])


def nce(labels, probabilities, classes):
    guess, total = probabilities.argmax(1), 0.0
    for z in np.unique(guess):
        for y in range(classes):
            both = np.mean((guess == z) & (labels == y))
            if both > 0:
                total += both * np.log(both / np.mean(guess == z))
    return total


def h_score(values, labels):
    covariance, share = ledoit_wolf(values)
    means = np.stack([values[labels == label].mean(0) for label in labels]) - values.mean(0)
    return np.trace(np.linalg.inv(covariance) @ means.T @ means / len(values)) * (1 - share)


def scores(case, count, features, classes, sources):
    values, labels = task(count, features, classes)
    logits = 2 * random.standard_normal((count, sources)) + 3 * (np.arange(sources) % classes == labels[:, None])
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    store(case, features=values, labels=labels, probabilities=probabilities, logme=logme(values, labels),
          leep=leep(labels, probabilities, classes), nce=nce(labels, probabilities, classes),
          h_score=h_score(values, labels))


probe("strong", 60, 8, 4, 0.1)
probe("weak", 60, 8, 4, 1e-3)
probe("wide", 20, 30, 3, 1e-2)
probe("weighted", 50, 6, 3, 1e-2, weighted=True)
neighbours()
scores("tall", 50, 6, 3, 5)
scores("flat", 15, 20, 3, 4)
a, b = random.integers(0, 6, 12).astype(float), random.standard_normal(12)
store("kendall", a=a, b=b, tau=kendalltau(a, b).statistic)
save_file({name: np.asarray(value) for name, value in tensors.items()},
          pathlib.Path(__file__).with_suffix(".safetensors"))
