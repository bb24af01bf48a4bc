"""Principal components, t-SNE and trustworthiness by scikit-learn: the reference for tests/metrics/embedding_test.cpp.

Run by hand: python tests/parity/embedding.py (needs numpy, safetensors and scikit-learn; written with 1.x).
"""
import pathlib

import numpy as np
from safetensors.numpy import save_file
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE, trustworthiness
from sklearn.manifold import _t_sne as internals

draw = np.random.default_rng(0)
centres = 6 * draw.standard_normal((4, 8))
labels = np.arange(120) % 4
points = (centres[labels] + draw.standard_normal((120, 8))).astype(np.float32)
wide = draw.standard_normal((9, 20)).astype(np.float32)
tensors = {"points": points, "wide": wide, "labels": labels.astype(np.int64)}


def components(values, count):
    model = PCA(count, svd_solver="full").fit(values.astype(np.float64))
    axes = model.components_ * np.sign(model.components_[np.arange(count), np.abs(model.components_).argmax(1)])[:, None]
    return (values - values.mean(0, dtype=np.float64)) @ axes.T


tensors["components"] = components(points, 3)
tensors["wide.components"] = components(wide, 4)

# The joint probabilities, and the gradient at a map that was drawn, as scikit-learn computes them for its own descent.
squared = np.square(points[:, None].astype(np.float64) - points[None]).sum(2).astype(np.float32)
joint = internals._joint_probabilities(squared, 12.0, 0)
start = (components(points, 2) / np.std(components(points, 2)[:, 0], ddof=1) * 1e-4)
model = TSNE(perplexity=12, method="exact", init=start.astype(np.float64), learning_rate="auto", max_iter=750,
             n_iter_without_progress=1000, min_grad_norm=0)
map_ = model.fit_transform(points.astype(np.float64))
tensors["joint"] = joint
tensors["kl_divergence"] = np.array([model.kl_divergence_])
tensors["map.trustworthiness"] = np.array([trustworthiness(points, map_, n_neighbors=7)])
tensors["map"] = map_
for k in (1, 5, 12):
    tensors[f"trustworthiness.{k}"] = np.array([trustworthiness(points, tensors["components"][:, :2], n_neighbors=k)])

save_file({name: np.ascontiguousarray(value) for name, value in tensors.items()},
          pathlib.Path(__file__).with_suffix(".safetensors"))
