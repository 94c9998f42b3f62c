"""The commands of `python -m qscore.study`: each file adds its options to the parser, and does what they ask."""
