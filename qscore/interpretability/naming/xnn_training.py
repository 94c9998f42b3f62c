"""What the training of explanation networks asks for."""

from dataclasses import dataclass

from qscore.errors import UserError, unknown_name

SPARSITIES = ("l1", "reconstruction")


@dataclass(frozen=True)
class XNNTraining:
    """What is minimised for each class, and how.

    Mean squared error of the score, in units of its variance, + `sparsity_weight` S + `orthogonality_weight` times the
    pull-away term. Both weights are lowered for a class while its error is above `tolerance`, or when one of its
    features dies, and raised again up to what is asked for. Neither paper prints its weights: these are ours.

    Attributes:
        num_features: X-features of a class; the paper's 5.
        sparsity: S: "l1": mean sum of |v_k| x_k, few features active in an image, as Hamidi-Haines et al. describe it;
            "reconstruction": sum over dimensions of log(1 + q * mean squared error of a linear reconstruction of h),
            few dimensions of which are then good (Qi et al., recalled).
        sparsity_weight: >= 0.
        orthogonality_weight: >= 0.
        reconstruction_scale: q.
        tolerance: Error, as a share of the range of the score, up to which sparsity and orthogonality have their
            weight; below the 1 % that held-out samples are judged by.
        num_steps: Of Adam.
        batch_size: Samples a step.
        learning_rate: At its highest.
        seed: Of the start and of the batches.
    """

    num_features: int = 5
    sparsity: str = "l1"
    sparsity_weight: float = 0.01
    orthogonality_weight: float = 0.1
    reconstruction_scale: float = 1.0
    tolerance: float = 0.006
    num_steps: int = 3000
    batch_size: int = 512
    learning_rate: float = 0.02
    seed: int = 0

    def __post_init__(self) -> None:
        if self.sparsity not in SPARSITIES:
            raise unknown_name("sparsity", self.sparsity, SPARSITIES)
        if self.num_features < 1 or min(self.sparsity_weight, self.orthogonality_weight) < 0:
            raise UserError("Expected one X-feature or more, and weights of 0 or more; set them to that.")
