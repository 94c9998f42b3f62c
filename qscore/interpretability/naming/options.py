"""What a user can ask of the evaluation `naming`, checked before anything is computed."""

from qscore.errors import UserError, unknown_name
from qscore.interpretability.naming.activations import SOURCES
from qscore.interpretability.naming.excitation import METHODS

LABEL, FEATURE, CLUSTER = "label", "feature", "cluster"
GROUPINGS = (LABEL, FEATURE, CLUSTER)
SPLITS = ("test", "train")
SWITCHES = ("force", "maps")
LEAST = {"num_images": 1, "num_groups": 1, "num_clusters": 2}


def check_options(*, source: object, group_by: object, share: object, method: object, **others: object) -> None:
    """Looks whether the evaluation can be done as it is asked for; the options may be anything that a user can write.

    Raises:
        UserError: If one has no meaning.
    """
    for name, value, known in (("source", source, SOURCES), ("group_by", group_by, GROUPINGS)):
        if not (name == "group_by" and value is None) and value not in known:
            raise unknown_name(f"{name} of naming", str(value), known)
    if method is not None and method not in METHODS:
        raise unknown_name("method of maps", str(method), METHODS)
    if source != SOURCES[0] and group_by not in (None, LABEL):
        raise UserError(
            f"Expected group_by={LABEL} with source={source}, whose score is that of a class, got {group_by}; leave it "
            f"out, or choose source={SOURCES[0]}."
        )
    if not isinstance(share, int | float) or isinstance(share, bool) or not 0 < share <= 1:
        raise UserError(f"Expected a share above 0 and up to 1, got {share}; write 0.9 for 90 %.")
    _check_others(others)


def _check_others(others: dict[str, object]) -> None:
    for name, value in others.items():
        if name in SWITCHES and not isinstance(value, bool):
            raise UserError(f"Expected true or false in {name}, got {value}.")
        if name == "split" and value not in SPLITS:
            raise unknown_name("split of naming", str(value), SPLITS)
        if name == "layer" and not (value is None or (isinstance(value, str) and value.strip())):
            raise UserError(f"Expected the name of a layer, such as layer3, got '{value}'; write null for the default.")
        is_default = value is None and name == "num_clusters"
        if name in LEAST and not is_default and (type(value) is not int or value < LEAST[name]):
            raise UserError(f"Expected a whole number from {LEAST[name]} in {name}, got {value}.")
    if unknown := sorted(set(others).difference(SWITCHES, LEAST, {"layer", "split"})):
        raise unknown_name("option of naming", unknown[0], (*SWITCHES, *LEAST, "layer", "split"))
