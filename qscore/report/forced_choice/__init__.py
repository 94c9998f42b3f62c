"""Forced choice in the report: what people said of groups, and what a proxy says without them."""
