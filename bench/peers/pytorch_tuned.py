"""PyTorch as someone who measures writes it: the data in memory as one tensor of floats, one gather a batch, the fused
Adam, gradients set to None, channels_last where it helps, losses read once an epoch. With --compile the forward pass and
its loss go through torch.compile. The same program runs with tcmalloc by LD_PRELOAD."""
import torch
import torch.nn.functional as F

import data
import record
import torch_models
from workloads import NOISE, WORKLOADS

CHANNELS_LAST = {"dcgan", "resnet20"}  # measured; the others have one input channel and few convolutions


class Supervised:
    def __init__(self, model, workload, compile):
        self.loss = torch.compile(model.loss) if compile else model.loss
        self.optimizer = torch.optim.Adam(model.parameters(), lr=workload.lr, betas=(workload.beta1, 0.999), fused=True)

    def step(self, images, labels):
        loss = self.loss(images, labels)
        loss.backward()
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return loss.detach()


class Adversarial:
    def __init__(self, model, workload, compile):
        self.model = model
        self.generator = torch.compile(model.generator) if compile else model.generator
        self.critic_loss, self.generator_loss = [torch.compile(loss) if compile else loss
                                                 for loss in (self.critic_loss, self.generator_loss)]
        self.optimizers = [torch.optim.Adam(half.parameters(), lr=workload.lr, betas=(workload.beta1, 0.999), fused=True)
                           for half in (model.critic, model.generator)]

    def critic_loss(self, images, generated):
        return F.softplus(-self.model.critic(images)).mean() + F.softplus(self.model.critic(generated)).mean()

    def generator_loss(self, generated):
        return F.softplus(-self.model.critic(generated)).mean()

    def step(self, images, labels):
        generated = self.generator(torch.randn(len(images), NOISE, device=images.device))
        loss_critic = self.critic_loss(images, generated.detach())
        loss_critic.backward()
        self.optimizers[0].step()
        self.model.critic.requires_grad_(False)
        loss_generator = self.generator_loss(generated)
        loss_generator.backward()
        self.optimizers[1].step()
        self.model.critic.requires_grad_(True)
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
        return loss_critic.detach() + loss_generator.detach()


@torch.no_grad()
def evaluate(model, device):
    images = torch.from_numpy(data.fashion_mnist("t10k")[0].copy()).to(device).float().div_(255)
    return model.eval().loss(images, None).item()


def main():
    parser = record.arguments(__doc__)
    parser.add_argument("--compile", action="store_true")
    options = parser.parse_args()
    workload = WORKLOADS[options.workload]
    gan = workload.kind == "gan"
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    images, labels = (torch.from_numpy(part.copy()).to(options.device) for part in data.read(options.data))
    images = images.float().div_(255)
    if gan:
        images.mul_(2).sub_(1)
    model = torch_models.MODELS[options.workload]().to(options.device)
    if options.workload in CHANNELS_LAST:
        model, images = model.to(memory_format=torch.channels_last), images.to(memory_format=torch.channels_last)
    training = (Adversarial if gan else Supervised)(model, workload, options.compile)
    run = record.Record()
    for _ in range(options.epochs):
        batches = torch.randperm(len(images), device=options.device).split(workload.batch)
        losses = [training.step(images[batch], labels[batch]) * len(batch) for batch in batches]
        run.epoch(torch.stack(losses).sum() / len(images))
    run.tell(len(images), torch_models.parameters(model), evaluate(model, options.device) if options.evaluate else None)


if __name__ == "__main__":
    main()
