"""The skip autoencoder in torch.nn (arXiv:1603.09056, with pooling between the sizes), named as vaetl names it."""
import torch
import torch.nn.functional as F


class SkipAutoencoder(torch.nn.Module):
    def __init__(self, o):
        super().__init__()
        (inputs, *size), channels, kernel = o["input"], o["channels"], o["kernel"]
        self.act, pad, last = getattr(F, o["activation"]), kernel // 2, len(channels) - 1
        sizes = [[side // 2**i for side in size] for i in range(len(channels))]  # they need not halve evenly
        self.encoder, self.decoder = torch.nn.Module(), torch.nn.Module()
        for i, outputs in enumerate(channels):
            block = torch.nn.Module()
            block.conv = torch.nn.Conv2d(channels[i - 1] if i else inputs, outputs, kernel, padding=pad)
            self.encoder.add_module(str(i), block)
        for i in range(last, 0, -1):
            block, more = torch.nn.Module(), [a - 2 * b for a, b in zip(sizes[i - 1], sizes[i])]
            block.up, block.merge = torch.nn.Module(), torch.nn.Module()
            block.up.conv = torch.nn.ConvTranspose2d(channels[i], channels[i - 1], kernel + 1, 2, pad, more)
            block.merge.conv = torch.nn.Conv2d(channels[i - 1], channels[i - 1], kernel, padding=pad)
            self.decoder.add_module(str(last - i), block)
        block = torch.nn.Module()
        block.conv = torch.nn.Conv2d(channels[0], inputs, kernel, padding=pad)
        self.decoder.add_module(str(last), block)

    def forward(self, x):
        seen = []
        for i, block in enumerate(self.encoder.children()):
            h = self.act(block.conv(seen[-1] if seen else x))
            seen.append(F.max_pool2d(h, 2) if i else h)
        h, *ups = seen.pop(), *self.decoder.children()
        for block in ups[:-1]:
            h = self.act(block.merge.conv(self.act(block.up.conv(h)) + seen.pop()))
        return x + ups[-1].conv(h)
