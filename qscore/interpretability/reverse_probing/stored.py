"""A probe that is kept, with the names of what it reads, and can be asked about other samples."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from qscore.errors import UserError, UserFileNotFoundError
from qscore.files import parse_json, written_whole
from qscore.interpretability.reverse_probing.concepts import labels_of, listed
from qscore.interpretability.reverse_probing.linear import LinearModel
from qscore.interpretability.reverse_probing.probe import ReverseProbe
from qscore.records import Concepts


@dataclass(frozen=True)
class StoredProbe:
    """A fitted probe without its samples.

    Attributes:
        model: Concepts to clusters.
        names: Of the concepts, in the order of the model's rows.
        groups: Of each concept.
        cluster_ids: Number of each cluster of the model in the grouping it was fitted on.
        seed: Of the split; with the same clusters it gives back the test samples.
        solver: What it was fitted by.
    """

    model: LinearModel
    names: tuple[str, ...]
    groups: tuple[str, ...]
    cluster_ids: Int[np.ndarray, " cluster"]
    seed: int
    solver: str

    @classmethod
    def of(cls, probe: ReverseProbe, concepts: Concepts) -> "StoredProbe":
        """Returns what is kept of a probe that was fitted on these concepts."""
        model = LinearModel(probe.model.weights.cpu(), probe.model.bias.cpu())
        return cls(model, concepts.names, concepts.groups, probe.cluster_ids, probe.seed, probe.solver)

    def log_posterior(self, concepts: Concepts) -> Float[np.ndarray, "sample cluster"]:
        """Returns ln q(cluster | concepts), by concepts of the same names in any order; others may be there too.

        Raises:
            UserError: If a concept of the probe is not there; the first are named.
        """
        place = {label: column for column, label in enumerate(labels_of(concepts))}
        wanted = labels_of(Concepts(concepts.present, self.names, self.groups, concepts.ids))
        if missing := [label for label in wanted if label not in place]:
            raise UserError(
                f"Expected the concepts that the probe was fitted on, got none of {len(missing)} out of {len(wanted)}: "
                f"{listed(missing)}; add a column for each, of zeros if it never applies."
            )
        return self.model.log_posterior(concepts.present[:, [place[label] for label in wanted]])

    def save(self, path: Path) -> None:
        """Writes a safetensors file."""
        facts = {"names": self.names, "groups": self.groups, "seed": self.seed, "solver": self.solver}
        tensors = {"weights": self.model.weights.contiguous(), "bias": self.model.bias.contiguous()}
        ids = torch.from_numpy(self.cluster_ids.astype(np.int64))
        with written_whole(path) as temporary:
            save_file({**tensors, "cluster_ids": ids}, temporary, {"reverse_probe": json.dumps(facts)})

    @classmethod
    def load(cls, path: Path) -> "StoredProbe":
        """Reads what `save` wrote.

        Raises:
            UserError: If it is another kind of file.
            UserFileNotFoundError: If there is none.
        """
        if not path.is_file():
            raise UserFileNotFoundError(f"Expected a stored reverse probe, found none at {path}; fit one first.")
        try:
            with safe_open(path, "pt") as file:
                facts = parse_json(file.metadata()["reverse_probe"])
                weights, bias, ids = (file.get_tensor(name) for name in ("weights", "bias", "cluster_ids"))
            names, groups, seed, solver = (
                tuple(facts["names"]),
                tuple(facts["groups"]),
                facts["seed"],
                facts["solver"],
            )
            shapes = (tuple(weights.shape), tuple(bias.shape), len(names), type(seed))
            if shapes != ((len(groups), len(ids)), tuple(ids.shape), len(groups), int):
                raise ValueError("its parts do not fit one another")
        except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
            raise UserError(f"Expected a stored reverse probe, got another kind of file: {path}.") from error
        return cls(LinearModel(weights, bias), names, groups, ids.numpy(), seed, solver)
