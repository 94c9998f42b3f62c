"""Experts: rules, networks and people that say which concepts are in an image."""

from qscore.interpretability.reverse_probing.experts.expert import Expert
from qscore.interpretability.reverse_probing.experts.extraction import name_images
from qscore.interpretability.reverse_probing.experts.known import KNOWN, expert_by_name

__all__ = ["KNOWN", "Expert", "expert_by_name", "name_images"]
