"""People as classifiers: whether a group of images can be learned from examples, or from a sentence about it.

Laina, Fong and Vedaldi, Quantifying Learnability and Describability of Visual Concepts Emerging in Representation
Learning, NeurIPS 2020, arXiv 2010.14551. An annotator sees some images of a group, or its description, and says which
of two others belongs to it as well.
"""
