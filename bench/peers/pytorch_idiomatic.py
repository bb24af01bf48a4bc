"""PyTorch as its tutorials write it: a Dataset, a DataLoader, torch.optim, loss.item() at each step."""
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

import data
import record
import torch_models
from workloads import NOISE, WORKLOADS


class Pictures(Dataset):
    def __init__(self, images, labels, gan):
        self.images, self.labels, self.gan = images, labels, gan

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        image = torch.from_numpy(self.images[index]).float() / 255
        return (image * 2 - 1 if self.gan else image), int(self.labels[index])


class Supervised:
    def __init__(self, model, workload, device):
        self.model, self.device = model, device
        self.optimizer = torch.optim.Adam(model.parameters(), lr=workload.lr, betas=(workload.beta1, 0.999))

    def step(self, images, labels):
        images, labels = images.to(self.device), labels.to(self.device)
        self.optimizer.zero_grad()
        loss = self.model.loss(images, labels)
        loss.backward()
        self.optimizer.step()
        return loss.item()


class Adversarial:
    def __init__(self, model, workload, device):
        self.generator, self.critic, self.criterion = model.generator, model.critic, nn.BCEWithLogitsLoss()
        self.device = device
        self.optimizers = [torch.optim.Adam(half.parameters(), lr=workload.lr, betas=(workload.beta1, 0.999))
                           for half in (model.critic, model.generator)]

    def step(self, images, labels):
        images = images.to(self.device)
        real, fake = (make(len(images), 1, device=self.device) for make in (torch.ones, torch.zeros))
        generated = self.generator(torch.randn(len(images), NOISE, device=self.device))
        self.optimizers[0].zero_grad()
        loss_critic = (self.criterion(self.critic(images), real)
                       + self.criterion(self.critic(generated.detach()), fake))
        loss_critic.backward()
        self.optimizers[0].step()
        self.optimizers[1].zero_grad()
        loss_generator = self.criterion(self.critic(generated), real)
        loss_generator.backward()
        self.optimizers[1].step()
        return loss_critic.item() + loss_generator.item()


@torch.no_grad()
def evaluate(model, device):
    model.eval()
    loader = DataLoader(Pictures(*data.fashion_mnist("t10k"), gan=False), batch_size=256)
    total = sum(model.loss(images.to(device), labels.to(device)).item() * len(images) for images, labels in loader)
    return total / len(loader.dataset)


def main():
    options = record.arguments(__doc__).parse_args()
    workload = WORKLOADS[options.workload]
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    pictures = Pictures(*data.read(options.data), gan=workload.kind == "gan")
    loader = DataLoader(pictures, batch_size=workload.batch, shuffle=True, pin_memory=options.device != "cpu")
    model = torch_models.MODELS[options.workload]().to(options.device)
    training = (Adversarial if workload.kind == "gan" else Supervised)(model, workload, options.device)
    run = record.Record()
    for _ in range(options.epochs):
        total = sum(training.step(images, labels) * len(images) for images, labels in loader)
        run.epoch(total / len(pictures))
    run.tell(len(pictures), torch_models.parameters(model), evaluate(model, options.device) if options.evaluate else None)


if __name__ == "__main__":
    main()
