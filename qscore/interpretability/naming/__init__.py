"""Interactive naming: people group and name what significant features see, and how far their words go is measured.

Hamidi-Haines, Qi, Fern, Li and Tadepalli, Interactive Naming for Explaining Deep Neural Networks: A Formative Study,
arXiv 1812.07150. An activation is one feature in one image; its map says where the feature looks. The features are
those of an explanation network (the paper's), the terms of a linear probe, or the discriminative features of an
encoder, which need neither labels nor a class score.
"""
