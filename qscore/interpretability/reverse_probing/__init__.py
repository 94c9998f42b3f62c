"""Quantized reverse probing: how much concepts say about the clusters of a representation.

Laina, Asano and Vedaldi, Measuring the Interpretability of Unsupervised Representations via Quantized Reverse Probing,
ICLR 2022, arXiv 2209.03268. A probe goes from words to clusters instead of from features to
labels, so what it finds is information about the representation as a whole, combinations ("red apple") included.
"""
