"""The networks in PyTorch, for its idiomatic and its tuned program. `loss` takes images in [0, 1] and labels."""
import torch
import torch.nn.functional as F
from torch import nn

from workloads import NOISE


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(),
                                     nn.Linear(32, 32), nn.Sigmoid())
        self.decoder = nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 784),
                                     nn.Sigmoid())

    def forward(self, x):
        return self.decoder(self.encoder(x))

    def loss(self, x, y):
        return F.mse_loss(self(x), x.flatten(1))


class Vae(nn.Module):
    def __init__(self, encoder, features, decoder, latent):
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        self.mean, self.log_var = nn.Linear(features, latent), nn.Linear(features, latent)

    def loss(self, x, y):
        h = self.encoder(x)
        mean, log_var = self.mean(h), self.log_var(h)
        z = mean + torch.exp(0.5 * log_var) * torch.randn_like(mean)
        logits = self.decoder(z)
        reconstruction = F.binary_cross_entropy_with_logits(logits, x.view_as(logits), reduction="sum")
        kl = -0.5 * torch.sum(1 + log_var - mean.pow(2) - log_var.exp())
        return (reconstruction + kl) / len(x)


def dense_vae():
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(784, 400), nn.ReLU())
    return Vae(encoder, 400, nn.Sequential(nn.Linear(20, 400), nn.ReLU(), nn.Linear(400, 784)), 20)


def conv_vae():
    encoder = nn.Sequential(nn.Conv2d(1, 32, 3, 2, 1), nn.ReLU(), nn.Conv2d(32, 64, 3, 2, 1), nn.ReLU(), nn.Flatten(),
                            nn.Linear(64 * 7 * 7, 256), nn.ReLU())
    decoder = nn.Sequential(nn.Linear(32, 256), nn.ReLU(), nn.Linear(256, 64 * 7 * 7), nn.ReLU(),
                            nn.Unflatten(1, (64, 7, 7)), nn.ConvTranspose2d(64, 32, 4, 2, 1), nn.ReLU(),
                            nn.ConvTranspose2d(32, 1, 4, 2, 1))
    return Vae(encoder, 256, decoder, 32)


class Classifier(nn.Module):
    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        return self.network(x)

    def loss(self, x, y):
        return F.cross_entropy(self(x), y)


def mlp():
    return Classifier(nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10)))


def cnn():
    return Classifier(nn.Sequential(nn.Conv2d(1, 32, 3, padding=1), nn.MaxPool2d(2), nn.ReLU(), nn.Flatten(),
                                    nn.Linear(32 * 14 * 14, 128), nn.ReLU(), nn.Linear(128, 10)))


class Rows(nn.Module):
    """Reads a picture row by row."""

    def __init__(self):
        super().__init__()
        self.rnn, self.head = nn.LSTM(28, 128, batch_first=True), nn.Linear(128, 10)

    def forward(self, x):
        _, (h, _) = self.rnn(x.squeeze(1))
        return self.head(h[-1])


class Block(nn.Module):
    """arXiv:1512.03385, section 4.2, with its shortcut A: every second pixel, padded with channels of zeros."""

    def __init__(self, channels, out, stride):
        super().__init__()
        self.stride, self.more = stride, out - channels
        self.conv1, self.bn1 = nn.Conv2d(channels, out, 3, stride, 1, bias=False), nn.BatchNorm2d(out)
        self.conv2, self.bn2 = nn.Conv2d(out, out, 3, 1, 1, bias=False), nn.BatchNorm2d(out)

    def forward(self, x):
        h = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.more:
            x = F.pad(x[:, :, ::self.stride, ::self.stride], (0, 0, 0, 0, self.more // 2, self.more // 2))
        return F.relu(h + x)


def resnet20():
    layers, channels = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()], 16
    for stage in range(3):
        for block in range(3):
            out = 16 << stage
            layers.append(Block(channels, out, 2 if stage > 0 and block == 0 else 1))
            channels = out
    network = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
    return Classifier(network)


class Dcgan(nn.Module):
    """Images in [−1, 1]."""

    def __init__(self):
        super().__init__()
        self.generator = nn.Sequential(
            nn.Linear(NOISE, 128 * 7 * 7), nn.BatchNorm1d(128 * 7 * 7), nn.ReLU(), nn.Unflatten(1, (128, 7, 7)),
            nn.ConvTranspose2d(128, 64, 4, 2, 1), nn.BatchNorm2d(64), nn.ReLU(),
            nn.ConvTranspose2d(64, 1, 4, 2, 1), nn.Tanh())
        self.critic = nn.Sequential(nn.Conv2d(1, 64, 3, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(64, 128, 3, 2, 1),
                                    nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(128 * 7 * 7, 1))


MODELS = {"ae": Autoencoder, "vae": dense_vae, "conv_vae": conv_vae, "mlp": mlp, "cnn": cnn,
          "lstm": lambda: Classifier(Rows()), "dcgan": Dcgan, "resnet20": resnet20}


def parameters(model):
    return sum(parameter.numel() for parameter in model.parameters())
