"""Everything that is read and that somebody else may have written."""

from tests.bad_input.targets import arrays, checkpoints, configs, images, runs, studies, tables

TARGETS = [*checkpoints.TARGETS, *images.TARGETS, *arrays.TARGETS, *tables.TARGETS, *studies.TARGETS, *runs.TARGETS]
TARGETS += configs.TARGETS
