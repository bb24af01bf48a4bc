"""JAX: one jitted step (gather, forward, backward, Adam) over data in memory, its state donated, losses read once an epoch.
Images are (N, H, W, C)."""
import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

import data
import record
from workloads import NOISE, WORKLOADS


class Initialiser:
    """U(−1/√fan_in, 1/√fan_in) for weights and biases, as PyTorch has it."""

    def __init__(self, seed):
        self.random = np.random.default_rng(seed)

    def uniform(self, shape, fan_in):
        return jnp.asarray(self.random.uniform(-1, 1, shape) / math.sqrt(fan_in), jnp.float32)

    def dense(self, inputs, outputs):
        return {"w": self.uniform((inputs, outputs), inputs), "b": self.uniform((outputs,), inputs)}

    def conv(self, size, inputs, outputs, transposed=False):
        fan_in = size * size * (outputs if transposed else inputs)
        return {"w": self.uniform((size, size, inputs, outputs), fan_in), "b": self.uniform((outputs,), fan_in)}

    def normal_conv(self, inputs, outputs):
        deviation = math.sqrt(2 / (9 * inputs))
        return jnp.asarray(self.random.normal(0, deviation, (3, 3, inputs, outputs)), jnp.float32)


def norm(channels):
    return {"scale": jnp.ones(channels), "shift": jnp.zeros(channels)}


def running(channels):
    return {"mean": jnp.zeros(channels), "variance": jnp.ones(channels)}


def dense(layer, x):
    return x @ layer["w"] + layer["b"]


def convolve(w, x, stride):
    side = (w.shape[0] - 1) // 2
    return lax.conv_general_dilated(x, w, (stride, stride), [(side, side)] * 2, dimension_numbers=("NHWC", "HWIO", "NHWC"))


def conv(layer, x, stride=1):
    return convolve(layer["w"], x, stride) + layer["b"]


def conv_transpose(layer, x):
    return lax.conv_transpose(x, layer["w"], (2, 2), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")) + layer["b"]


def batch_norm(layer, statistics, x):
    axes = tuple(range(x.ndim - 1))
    mean, variance, count = x.mean(axes), x.var(axes), x.size // x.shape[-1]
    seen = {"mean": lax.stop_gradient(mean), "variance": lax.stop_gradient(variance) * (count / (count - 1))}
    statistics = jax.tree.map(lambda old, new: 0.9 * old + 0.1 * new, statistics, seen)
    return (x - mean) * lax.rsqrt(variance + 1e-5) * layer["scale"] + layer["shift"], statistics


def max_pool(x):
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")


def flat(x):
    return x.reshape(len(x), -1)


def cross_entropy(logits, labels):
    return -jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], 1).mean()


def elbo_loss(mean, log_var, decode, x, key):
    z = mean + jnp.exp(0.5 * log_var) * jax.random.normal(key, mean.shape)
    logits, x = flat(decode(z)), flat(x)
    reconstruction = jnp.maximum(logits, 0) - logits * x + jnp.log1p(jnp.exp(-jnp.abs(logits)))
    kl = -0.5 * (1 + log_var - mean ** 2 - jnp.exp(log_var))
    return (reconstruction.sum() + kl.sum()) / len(x)


# Each network: parameters and running statistics, and loss(parameters, statistics, images, labels, key) → loss, statistics.
def autoencoder(start):
    sizes = [784, 64, 32, 32, 32, 64, 784]
    activations = [jax.nn.relu, jax.nn.relu, jax.nn.sigmoid] * 2

    def loss(p, s, x, y, key):
        h = x = flat(x)
        for layer, activation in zip(p, activations):
            h = activation(dense(layer, h))
        return ((h - x) ** 2).mean(), s
    return [start.dense(*pair) for pair in zip(sizes, sizes[1:])], {}, loss


def vae(start):
    p = {"in": start.dense(784, 400), "mean": start.dense(400, 20), "log_var": start.dense(400, 20),
         "hidden": start.dense(20, 400), "out": start.dense(400, 784)}

    def loss(p, s, x, y, key):
        h = jax.nn.relu(dense(p["in"], flat(x)))
        decode = lambda z: dense(p["out"], jax.nn.relu(dense(p["hidden"], z)))
        return elbo_loss(dense(p["mean"], h), dense(p["log_var"], h), decode, x, key), s
    return p, {}, loss


def conv_vae(start):
    p = {"conv1": start.conv(3, 1, 32), "conv2": start.conv(3, 32, 64), "in": start.dense(3136, 256),
         "mean": start.dense(256, 32), "log_var": start.dense(256, 32), "hidden": start.dense(32, 256),
         "out": start.dense(256, 3136), "up1": start.conv(4, 64, 32, True), "up2": start.conv(4, 32, 1, True)}

    def loss(p, s, x, y, key):
        h = jax.nn.relu(conv(p["conv2"], jax.nn.relu(conv(p["conv1"], x, 2)), 2))
        h = jax.nn.relu(dense(p["in"], flat(h)))

        def decode(z):
            h = jax.nn.relu(dense(p["out"], jax.nn.relu(dense(p["hidden"], z)))).reshape(-1, 7, 7, 64)
            return conv_transpose(p["up2"], jax.nn.relu(conv_transpose(p["up1"], h)))
        return elbo_loss(dense(p["mean"], h), dense(p["log_var"], h), decode, x, key), s
    return p, {}, loss


def mlp(start):
    def loss(p, s, x, y, key):
        return cross_entropy(dense(p["head"], jax.nn.relu(dense(p["hidden"], flat(x)))), y), s
    return {"hidden": start.dense(784, 128), "head": start.dense(128, 10)}, {}, loss


def cnn(start):
    def loss(p, s, x, y, key):
        h = jax.nn.relu(max_pool(conv(p["conv"], x)))
        return cross_entropy(dense(p["head"], jax.nn.relu(dense(p["hidden"], flat(h)))), y), s
    return {"conv": start.conv(3, 1, 32), "hidden": start.dense(6272, 128), "head": start.dense(128, 10)}, {}, loss


def lstm(start):
    p = {"input": start.uniform((28, 512), 128), "b_input": start.uniform((512,), 128),
         "hidden": start.uniform((128, 512), 128), "b_hidden": start.uniform((512,), 128), "head": start.dense(128, 10)}

    def loss(p, s, x, y, key):
        rows = jnp.swapaxes(x[..., 0], 0, 1) @ p["input"] + (p["b_input"] + p["b_hidden"])

        def step(state, row):
            h, c = state
            i, f, g, o = jnp.split(row + h @ p["hidden"], 4, axis=1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None
        zeros = jnp.zeros((len(x), 128))
        (h, _), _ = lax.scan(step, (zeros, zeros), rows)
        return cross_entropy(dense(p["head"], h), y), s
    return p, {}, loss


def resnet20(start):
    def block(inputs, outputs):
        return {"conv1": start.normal_conv(inputs, outputs), "norm1": norm(outputs),
                "conv2": start.normal_conv(outputs, outputs), "norm2": norm(outputs)}
    sizes = [16, 16, 16, 16, 32, 32, 32, 64, 64, 64]
    p = {"stem": start.normal_conv(3, 16), "norm": norm(16), "blocks": [block(*pair) for pair in zip(sizes, sizes[1:])],
         "head": start.dense(64, 10)}
    s = {"norm": running(16), "blocks": [{"norm1": running(size), "norm2": running(size)} for size in sizes[1:]]}

    def loss(p, s, x, y, key):
        h, seen = batch_norm(p["norm"], s["norm"], convolve(p["stem"], x, 1))
        h, after = jax.nn.relu(h), []
        for layer, old in zip(p["blocks"], s["blocks"]):
            more = layer["conv1"].shape[3] - h.shape[3]
            stride = 2 if more else 1
            f, seen1 = batch_norm(layer["norm1"], old["norm1"], convolve(layer["conv1"], h, stride))
            f, seen2 = batch_norm(layer["norm2"], old["norm2"], convolve(layer["conv2"], jax.nn.relu(f), 1))
            shortcut = jnp.pad(h[:, ::stride, ::stride], ((0, 0), (0, 0), (0, 0), (more // 2, more // 2)))
            h = jax.nn.relu(f + shortcut)
            after.append({"norm1": seen1, "norm2": seen2})
        return cross_entropy(dense(p["head"], h.mean((1, 2))), y), {"norm": seen, "blocks": after}
    return p, s, loss


NETWORKS = {"ae": autoencoder, "vae": vae, "conv_vae": conv_vae, "mlp": mlp, "cnn": cnn, "lstm": lstm, "resnet20": resnet20}


def dcgan(start):
    generator = {"dense": start.dense(NOISE, 6272), "norm1": norm(6272), "up1": start.conv(4, 128, 64, True),
                 "norm2": norm(64), "up2": start.conv(4, 64, 1, True)}
    critic = {"conv1": start.conv(3, 1, 64), "conv2": start.conv(3, 64, 128), "head": start.dense(6272, 1)}
    return {"critic": critic, "generator": generator}, {"norm1": running(6272), "norm2": running(64)}


def generate(p, s, noise):
    h, seen1 = batch_norm(p["norm1"], s["norm1"], dense(p["dense"], noise))
    h = conv_transpose(p["up1"], jax.nn.relu(h).reshape(-1, 7, 7, 128))
    h, seen2 = batch_norm(p["norm2"], s["norm2"], h)
    return jnp.tanh(conv_transpose(p["up2"], jax.nn.relu(h))), {"norm1": seen1, "norm2": seen2}


def judge(p, x):
    h = jax.nn.leaky_relu(conv(p["conv1"], x, 2), 0.2)
    return dense(p["head"], flat(jax.nn.leaky_relu(conv(p["conv2"], h, 2), 0.2)))


def adam(p, gradients, moments, count, lr, beta1, beta2=0.999, epsilon=1e-8):
    first = jax.tree.map(lambda m, g: beta1 * m + (1 - beta1) * g, moments[0], gradients)
    second = jax.tree.map(lambda v, g: beta2 * v + (1 - beta2) * g * g, moments[1], gradients)
    rate, scale = lr / (1 - beta1 ** count), 1 / jnp.sqrt(1 - beta2 ** count)
    p = jax.tree.map(lambda w, m, v: w - rate * m / (jnp.sqrt(v) * scale + epsilon), p, first, second)
    return p, (first, second)


def supervised_step(loss, workload):
    def step(state, images, labels, batch):
        p, s, moments, count, key = state
        key, drawn = jax.random.split(key)
        (value, s), gradients = jax.value_and_grad(loss, has_aux=True)(p, s, images[batch], labels[batch], drawn)
        p, moments = adam(p, gradients, moments, count + 1, workload.lr, workload.beta1)
        return (p, s, moments, count + 1, key), value
    return step


def adversarial_step(workload):
    def step(state, images, labels, batch):
        p, s, (of_critic, of_generator), count, key = state
        key, drawn = jax.random.split(key)
        noise = jax.random.normal(drawn, (len(batch), NOISE))
        make = lambda g: generate(g, s, noise)
        generated, back, seen = jax.vjp(make, p["generator"], has_aux=True)

        def critic_loss(c):
            return jax.nn.softplus(-judge(c, images[batch])).mean() + jax.nn.softplus(judge(c, generated)).mean()
        loss_critic, gradients = jax.value_and_grad(critic_loss)(p["critic"])
        update = functools.partial(adam, count=count + 1, lr=workload.lr, beta1=workload.beta1)
        critic, of_critic = update(p["critic"], gradients, of_critic)
        generator_loss = lambda x: jax.nn.softplus(-judge(critic, x)).mean()
        loss_generator, slope = jax.value_and_grad(generator_loss)(generated)
        generator, of_generator = update(p["generator"], back(slope)[0], of_generator)
        state = {"critic": critic, "generator": generator}, seen, (of_critic, of_generator), count + 1, key
        return state, loss_critic + loss_generator
    return step


def main():
    options = record.arguments(__doc__).parse_args()
    workload = WORKLOADS[options.workload]
    images, labels = data.read(options.data)
    images = np.moveaxis(images, 1, 3).astype(np.float32) / 255
    start, gan = Initialiser(options.seed), workload.kind == "gan"
    if gan:
        images = images * 2 - 1
        p, s = dcgan(start)
        step = adversarial_step(workload)
        moments = tuple((jax.tree.map(jnp.zeros_like, p[half]), jax.tree.map(jnp.zeros_like, p[half]))
                        for half in ("critic", "generator"))
    else:
        p, s, loss = NETWORKS[options.workload](start)
        step = supervised_step(loss, workload)
        moments = jax.tree.map(jnp.zeros_like, p), jax.tree.map(jnp.zeros_like, p)
    step = jax.jit(step, donate_argnums=0)
    state = p, s, moments, jnp.int32(0), jax.random.key(options.seed)
    images, labels = jnp.asarray(images), jnp.asarray(labels, jnp.int32)
    random, run = np.random.default_rng(options.seed), record.Record()
    for _ in range(options.epochs):
        order, losses, sizes = random.permutation(len(images)).astype(np.int32), [], []
        for first in range(0, len(order), workload.batch):
            batch = order[first:first + workload.batch]
            state, value = step(state, images, labels, batch)
            losses.append(value)
            sizes.append(len(batch))
        run.epoch(np.average(jax.device_get(losses), weights=sizes))
    evaluated = None
    if options.evaluate:
        test = jnp.asarray(np.moveaxis(data.fashion_mnist("t10k")[0], 1, 3).astype(np.float32) / 255)
        evaluated = float(jax.jit(loss)(state[0], s, test, None, None)[0])
    run.tell(len(images), sum(leaf.size for leaf in jax.tree.leaves(state[0])), evaluated)


if __name__ == "__main__":
    main()
