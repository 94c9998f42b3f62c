"""What was trained, and how: what tells whether a measured number stands beside a published one."""

from typing import Any

TRAINED_WITH = ("lambda", "epsilon", "formula", "epochs")
OF_A_RUN = (*TRAINED_WITH, "weight_unit")


def training_of(config: dict[str, Any]) -> dict[str, Any]:
    """Returns names of data set and method, and the recipe, from the configuration in `run.json`."""
    data, method = (str(config.get(group, {}).get("name", "")) for group in ("data", "method"))
    return {"data": data, "method": method, "recipe": _recipe(config)}


def training_of_origin(config: dict[str, Any]) -> dict[str, Any]:
    """Returns the same of what a run was fine-tuned from: of its recipe, the encoder alone is known."""
    training = training_of(config)
    return training | {"recipe": {k: v for k, v in training["recipe"].items() if k not in OF_A_RUN}}


def _recipe(config: dict[str, Any]) -> dict[str, Any]:
    """The encoder is known only where no checkpoint decided it."""
    recipe: dict[str, Any] = {name: config[name] for name in TRAINED_WITH if name in config}
    if config.get("weight_unit", "raw") != "raw":  # in no paper
        recipe["weight_unit"] = config["weight_unit"]
    encoder = config.get("encoder", {})
    checkpoint = config.get("checkpoint")  # a path, or null, in runs from before it had options
    given = checkpoint.get("path") if isinstance(checkpoint, dict) else checkpoint
    if "architecture" not in encoder or given is not None:
        return recipe
    width = encoder.get("width", 1.0)
    return recipe | {"encoder": encoder["architecture"] + ("" if width == 1 else f" of width {width:g}")}
