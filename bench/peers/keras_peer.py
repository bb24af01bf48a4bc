"""Keras 3 on TensorFlow: Model.fit over arrays in memory, with a train_step of its own where there are two losses or two
optimisers. Images are (N, H, W, C)."""
import math
import os

import record

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

import data
from workloads import NOISE, WORKLOADS

# Measured with and without XLA (--xla), which is better where a step is many small operators, and so are several steps in one
# call of it.
XLA = {"ae", "vae", "mlp"}
STEPS_TOGETHER = 16


def uniform(fan_in):
    """As PyTorch starts, so that losses can be compared."""
    return keras.initializers.RandomUniform(-1 / math.sqrt(fan_in), 1 / math.sqrt(fan_in))


def dense(inputs, outputs, activation=None):
    return layers.Dense(outputs, activation, kernel_initializer=uniform(inputs), bias_initializer=uniform(inputs))


def conv(inputs, outputs, activation=None, strides=2):
    return layers.Conv2D(outputs, 3, strides, "same", activation=activation, kernel_initializer=uniform(9 * inputs),
                         bias_initializer=uniform(9 * inputs))


def conv_transpose(outputs, activation=None):
    start = uniform(16 * outputs)
    return layers.Conv2DTranspose(outputs, 4, 2, "same", activation=activation, kernel_initializer=start, bias_initializer=start)


def norm():
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5)


def autoencoder():
    return keras.Sequential([layers.Flatten(), dense(784, 64, "relu"), dense(64, 32, "relu"), dense(32, 32, "sigmoid"),
                             dense(32, 32, "relu"), dense(32, 64, "relu"), dense(64, 784, "sigmoid")])


def dense_vae():
    encoder = keras.Sequential([layers.Flatten(), dense(784, 400, "relu")])
    return Vae(encoder, 400, keras.Sequential([dense(20, 400, "relu"), dense(400, 784)]), 20)


def conv_vae():
    encoder = keras.Sequential([conv(1, 32, "relu"), conv(32, 64, "relu"), layers.Flatten(), dense(3136, 256, "relu")])
    decoder = keras.Sequential([dense(32, 256, "relu"), dense(256, 3136, "relu"), layers.Reshape((7, 7, 64)),
                                conv_transpose(32, "relu"), conv_transpose(1), layers.Flatten()])
    return Vae(encoder, 256, decoder, 32)


class Vae(keras.Model):
    def __init__(self, encoder, features, decoder, latent):
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        self.mean, self.log_var = dense(features, latent), dense(features, latent)

    def call(self, x):
        h = self.encoder(x)
        mean, log_var = self.mean(h), self.log_var(h)
        z = mean + ops.exp(0.5 * log_var) * tf.random.normal(tf.shape(mean))
        kl = -0.5 * ops.sum(1 + log_var - ops.square(mean) - ops.exp(log_var), axis=1)
        self.add_loss(ops.mean(kl))
        return self.decoder(z)


def summed_cross_entropy(x, logits):
    return ops.sum(tf.nn.sigmoid_cross_entropy_with_logits(x, logits), axis=1)


def mlp():
    return keras.Sequential([layers.Flatten(), dense(784, 128, "relu"), dense(128, 10)])


def cnn():
    return keras.Sequential([conv(1, 32, "relu", strides=1), layers.MaxPooling2D(), layers.Flatten(), dense(6272, 128, "relu"),
                             dense(128, 10)])


def lstm():
    return keras.Sequential([layers.Reshape((28, 28)),
                             layers.LSTM(128, kernel_initializer=uniform(128), recurrent_initializer=uniform(128),
                                         bias_initializer=uniform(128), unit_forget_bias=False),
                             dense(128, 10)])


def resnet20():
    def convolve(x, outputs, strides=1):
        return layers.Conv2D(outputs, 3, strides, "same", use_bias=False, kernel_initializer=normal)(x)
    normal = keras.initializers.VarianceScaling(2, "fan_in", "untruncated_normal")
    inputs = keras.Input((32, 32, 3))
    h = layers.ReLU()(norm()(convolve(inputs, 16)))
    for stage in range(3):
        for block in range(3):
            outputs = 16 << stage
            shortcut, more = h, outputs - h.shape[-1]
            f = layers.ReLU()(norm()(convolve(h, outputs, 2 if more else 1)))
            f = norm()(convolve(f, outputs))
            if more:
                shortcut = ops.pad(h[:, ::2, ::2], ((0, 0), (0, 0), (0, 0), (more // 2, more // 2)))
            h = layers.ReLU()(f + shortcut)
    return keras.Model(inputs, dense(64, 10)(layers.GlobalAveragePooling2D()(h)))


class Dcgan(keras.Model):
    """Images in [−1, 1]."""

    def __init__(self, workload):
        super().__init__()
        self.generator = keras.Sequential([keras.Input((NOISE,)), dense(NOISE, 6272), norm(), layers.ReLU(),
                                           layers.Reshape((7, 7, 128)), conv_transpose(64), norm(), layers.ReLU(),
                                           conv_transpose(1, "tanh")])
        self.critic = keras.Sequential([keras.Input((28, 28, 1)), conv(1, 64), layers.LeakyReLU(0.2), conv(64, 128),
                                        layers.LeakyReLU(0.2), layers.Flatten(), dense(6272, 1)])
        self.of_critic, self.of_generator = [keras.optimizers.Adam(workload.lr, workload.beta1, epsilon=1e-8) for _ in range(2)]
        self.of_critic.build(self.critic.trainable_variables)
        self.of_generator.build(self.generator.trainable_variables)
        self.total = keras.metrics.Mean("loss")

    @property
    def metrics(self):
        return [self.total]

    def train_step(self, images):
        with tf.GradientTape() as tape:
            generated = self.generator(tf.random.normal((tf.shape(images)[0], NOISE)), training=True)
            with tape.stop_recording():
                loss_critic = self.train_critic(images, generated)
            loss_generator = ops.mean(ops.softplus(-self.critic(generated)))
        gradients = tape.gradient(loss_generator, self.generator.trainable_variables)
        self.of_generator.apply(gradients, self.generator.trainable_variables)
        self.total.update_state(loss_critic + loss_generator)
        return {"loss": self.total.result()}

    def train_critic(self, images, generated):
        with tf.GradientTape() as tape:
            loss = ops.mean(ops.softplus(-self.critic(images))) + ops.mean(ops.softplus(self.critic(generated)))
        self.of_critic.apply(tape.gradient(loss, self.critic.trainable_variables), self.critic.trainable_variables)
        return loss


NETWORKS = {"ae": autoencoder, "vae": dense_vae, "conv_vae": conv_vae, "mlp": mlp, "cnn": cnn, "lstm": lstm,
            "resnet20": resnet20}
LOSSES = {"autoencoder": "mse", "vae": summed_cross_entropy,
          "classifier": keras.losses.SparseCategoricalCrossentropy(from_logits=True)}


class Stamps(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.run = None

    def on_train_begin(self, logs=None):
        self.run = record.Record()

    def on_epoch_end(self, epoch, logs=None):
        self.run.epoch(logs["loss"])


def main():
    parser = record.arguments(__doc__)
    parser.add_argument("--xla", choices=("yes", "no"))
    options = parser.parse_args()
    workload = WORKLOADS[options.workload]
    tf.config.threading.set_intra_op_parallelism_threads(options.threads)
    tf.config.threading.set_inter_op_parallelism_threads(options.threads)
    keras.utils.set_random_seed(options.seed)
    xla = options.xla == "yes" if options.xla else options.workload in XLA
    images, labels = data.read(options.data)
    images = np.moveaxis(images, 1, 3).astype(np.float32) / 255
    if workload.kind == "gan":
        images, targets, model = images * 2 - 1, None, Dcgan(workload)
        model.compile(jit_compile=xla)
    else:
        targets = labels if workload.kind == "classifier" else images.reshape(len(images), -1)
        model = NETWORKS[options.workload]()
        optimizer = keras.optimizers.Adam(workload.lr, workload.beta1, epsilon=1e-8)
        model.compile(optimizer, LOSSES[workload.kind], jit_compile=xla, steps_per_execution=STEPS_TOGETHER if xla else 1)
    stamps = Stamps()
    model.fit(images, targets, batch_size=workload.batch, epochs=options.epochs, shuffle=True, verbose=0, callbacks=[stamps])
    evaluated = None
    if options.evaluate:
        test = np.moveaxis(data.fashion_mnist("t10k")[0], 1, 3).astype(np.float32) / 255
        evaluated = model.evaluate(test, test.reshape(len(test), -1), batch_size=1000, verbose=0)
    parameters = sum(int(np.prod(variable.shape)) for variable in model.trainable_variables)
    stamps.run.tell(len(images), parameters, evaluated)


if __name__ == "__main__":
    main()
