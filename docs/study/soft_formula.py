"""Which smooth form over D becomes `formula=soft`: chosen on one half of the held-out samples, reported on the other.

python docs/study/soft_formula.py OUT.json RUN_DIR...      # pretrained runs whose representations are cached

For every run and every epsilon D is mined on the training images and the linear probe is fitted there. The candidate
with the highest mean AUROC on the choosing halves, over runs and epsilons, wins; all that is said of it is measured on
the reporting halves.
"""

import itertools
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from qscore.evaluation import EvaluationInputs
from qscore.evaluation.ranking import bootstrap_aurocs
from qscore.files import read_json, write_json
from qscore.score import epsilon_number, load_representations, q_score

Candidate = Callable[[Tensor, Tensor, float], Tensor]
EPSILONS = ("auto", 2.0, 3.0, 4.0)
NUM_BOOTSTRAPS = 2000


def z_scores(h: Tensor) -> Tensor:
    """How many of its own standard deviations each feature of a sample stands above the mean of the sample."""
    return (h - h.mean(1, keepdim=True)) / h.std(1, correction=0, keepdim=True).clamp_min(1e-12)


def softplus_mean(sharpness: float) -> Candidate:
    """Mean over D of softplus(z - epsilon)."""
    return lambda h, d, e: F.softplus(z_scores(h)[:, d] - e, beta=sharpness).mean(1)


def gated_mass(sharpness: float) -> Candidate:
    """Share of the L1 norm that the features of D hold, each weighed by how far it is over the threshold."""
    return lambda h, d, e: (torch.sigmoid(sharpness * (z_scores(h)[:, d] - e)) * h[:, d]).sum(1) / l1(h)


def soft_ratio(sharpness: float) -> Candidate:
    """`ratio` with a weight in place of the sharp set: the weighted mean of h over D, over L1."""

    def form(h: Tensor, d: Tensor, epsilon: float) -> Tensor:
        weight = torch.softmax(F.logsigmoid(sharpness * (z_scores(h)[:, d] - epsilon)), 1)
        return (weight * h[:, d]).sum(1) / l1(h)

    return form


def soft_centered(sharpness: float) -> Candidate:
    """`centered` in the same way: the weighted mean of h - mu over D, over L2."""

    def form(h: Tensor, d: Tensor, epsilon: float) -> Tensor:
        weight = torch.softmax(F.logsigmoid(sharpness * (z_scores(h)[:, d] - epsilon)), 1)
        return (weight * (h - h.mean(1, keepdim=True))[:, d]).sum(1) / h.norm(dim=1).clamp_min(1e-12)

    return form


def soft_maximum(temperature: float) -> Candidate:
    """Log-sum-exp of z over D: how far the strongest of them stand out."""
    return lambda h, d, e: temperature * torch.logsumexp(z_scores(h)[:, d] / temperature, 1)


def l1(h: Tensor) -> Tensor:
    """L1 norm."""
    return h.abs().sum(1).clamp_min(1e-12)


CANDIDATES: dict[str, Candidate] = {
    "mean z over D": lambda h, d, e: z_scores(h)[:, d].mean(1),
    "positive z of D over all": lambda h, d, e: z_scores(h)[:, d].relu().sum(1) / z_scores(h).relu().sum(1),
    "mass of D over L1": lambda h, d, e: h[:, d].sum(1) / l1(h),
    **{f"mean softplus, sharpness {b:g}": softplus_mean(b) for b in (0.5, 1.0, 2.0, 4.0)},
    **{f"gated mass, sharpness {b:g}": gated_mass(b) for b in (0.5, 1.0, 2.0, 4.0)},
    **{f"soft ratio, sharpness {b:g}": soft_ratio(b) for b in (1.0, 2.0, 4.0, 8.0)},
    **{f"soft centered, sharpness {b:g}": soft_centered(b) for b in (1.0, 2.0, 4.0, 8.0)},
    **{f"soft maximum, temperature {t:g}": soft_maximum(t) for t in (0.25, 1.0, 2.0)},
}
PUBLISHED: dict[str, Candidate] = {
    name: lambda h, d, e, name=name: q_score(h, d, e, formula=name)
    for name in ("ratio", "centered")  # type: ignore[misc]
}


def measured(run: Path, epsilon: float | str) -> dict[str, object]:
    """AUROC of every form on both halves of a run's held-out samples, and the bootstrap of the reporting half."""
    train, test = (load_representations(next((run / "representations").glob(f"{s}-*"))) for s in ("train", "test"))
    number = epsilon_number(epsilon, train.h)
    inputs = EvaluationInputs(train, test, epsilon=number)
    correct = inputs.probe.correct
    d = inputs.discriminative
    scores = {name: form(test.h, d, number).double().numpy() for name, form in {**PUBLISHED, **CANDIDATES}.items()}
    half = np.random.default_rng(0).permutation(len(correct))
    halves = {"choice": half[: len(half) // 2], "report": half[len(half) // 2 :]}
    found = {
        name: bootstrap_aurocs({k: v[rows] for k, v in scores.items()}, correct[rows], num=NUM_BOOTSTRAPS, seed=0)
        for name, rows in halves.items()
    }
    point = {name: {k: auroc(v[rows], correct[rows]) for k, v in scores.items()} for name, rows in halves.items()}
    intervals = {
        f"{new} - {old}": np.nanquantile(found["report"][new] - found["report"][old], [0.025, 0.975]).tolist()
        for new, old in itertools.product(CANDIDATES, PUBLISHED)
    }
    facts = read_json(run / "run.json")["config"]
    return {
        "data": facts["data"]["name"],
        "method": facts["method"]["name"],
        "asked_epsilon": epsilon,
        "epsilon": number,
        "share_empty": inputs.test_empty_share,
        "num_discriminative": int(d.sum()),
        "accuracy": float(correct.mean()),
        "auroc": point,
        "report_intervals": intervals,
    }


def auroc(scores: np.ndarray, correct: np.ndarray) -> float:
    """Area under the ROC curve, correct positive."""
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(correct, scores))


def main(out: str, *runs: str) -> None:
    """Measures, chooses, and writes everything."""
    rows = [measured(Path(run), epsilon) for run in runs for epsilon in EPSILONS]
    means = {
        name: float(np.mean([row["auroc"]["choice"][name] for row in rows]))  # type: ignore[index]
        for name in (*PUBLISHED, *CANDIDATES)
    }
    chosen = max(CANDIDATES, key=lambda name: means[name])
    write_json(Path(out), {"chosen": chosen, "mean_auroc_on_choosing_halves": means, "rows": rows})
    for name, value in sorted(means.items(), key=lambda item: -item[1]):
        print(f"{value:.4f}  {name}")
    for row in rows:
        report = row["auroc"]["report"]  # type: ignore[index]
        over = {old: row["report_intervals"][f"{chosen} - {old}"] for old in PUBLISHED}  # type: ignore[index]
        print(
            f"{row['data']:>13} {row['method']:>7} eps {row['epsilon']:.1f} ({row['asked_epsilon']}) "
            f"empty {row['share_empty']:.2f}: "
            + "  ".join(f"{name} {report[name]:.3f}" for name in (*PUBLISHED, chosen))
            + "  minus ratio [{:+.3f}, {:+.3f}] minus centered [{:+.3f}, {:+.3f}]".format(
                *over["ratio"], *over["centered"]
            )
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
