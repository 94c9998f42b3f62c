"""Sentences about images, and which of them stands for a group."""
