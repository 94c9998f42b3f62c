"""Reverse probing in the report: figures and tables of what concepts say of the clusters of an encoder."""
