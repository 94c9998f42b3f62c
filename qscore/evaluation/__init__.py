"""What an encoder is worth: each evaluation takes the same cached representations and returns a `Result`."""

from qscore.evaluation.inputs import EvaluationInputs
from qscore.evaluation.pictures import Pictures

__all__ = ["EvaluationInputs", "Pictures"]
