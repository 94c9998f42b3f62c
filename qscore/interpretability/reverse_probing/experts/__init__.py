"""Experts: rules, networks and people that say which concepts are in an image."""
