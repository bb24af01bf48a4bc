"""The eight workloads, for every peer and for bench/training_steps.py. What the networks are stands in README.md and, as
options of ours, in recipes/."""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Workload:
    kind: str  # autoencoder, vae, classifier, gan
    batch: int
    steps: int  # of an epoch, all of them full batches
    parameters: int
    tolerance: float  # how far a side's loss may lie from the median of all sides, as a share of it: initial values and orders differ
    pictures: str = "fashion"  # or fashion32: see data.py
    lr: float = 1e-3
    beta1: float = 0.9
    parameters_of: dict = dataclasses.field(default_factory=dict)  # where a peer's layer is defined with others

    @property
    def examples(self):
        return self.batch * self.steps


PICTURES = 60_000  # of Fashion-MNIST's training part
EPOCHS = 3  # of which the first is warm-up
WORKLOADS = {
    "ae": Workload("autoencoder", 256, 234, 107_504, 0.12),
    "vae": Workload("vae", 128, 468, 652_824, 0.01),
    "conv_vae": Workload("vae", 256, 40, 1_686_049, 0.05),
    "mlp": Workload("classifier", 64, 937, 101_770, 0.03),
    "cnn": Workload("classifier", 64, 200, 804_554, 0.08),
    # Keras has one bias a gate where PyTorch and we have two.
    "lstm": Workload("classifier", 128, 150, 82_186, 0.1, parameters_of={"keras": 81_674}),
    "dcgan": Workload("gan", 128, 20, 859_074, 0.3, lr=2e-4, beta1=0.5),
    "resnet20": Workload("classifier", 128, 20, 269_722, 0.1, pictures="fashion32"),
}
NOISE = 100  # of the dcgan
