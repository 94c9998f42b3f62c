"""What an encoder is worth: each evaluation takes the same cached representations and returns a `Result`."""

from qscore.evaluation.inputs import EvaluationInputs

__all__ = ["EvaluationInputs"]
