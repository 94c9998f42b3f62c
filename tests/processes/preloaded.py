"""What the server that processes are forked from has imported: everything that a command would import first."""

import torchvision  # noqa: F401

import qscore.application.commands
import qscore.report.__main__
import qscore.study.__main__  # noqa: F401
