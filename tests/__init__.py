"""The checker of the annotated shapes: an int may stand for a float, as everywhere in Python (PEP 484)."""

from beartype import BeartypeConf, beartype

checked = beartype(conf=BeartypeConf(is_pep484_tower=True))
