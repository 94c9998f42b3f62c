"""The evaluation of stored clusters and probes on other images (tables 4 and 7)."""

NAME = "reverse_transfer"
