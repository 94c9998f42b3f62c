"""Files and settings that nobody should have to trust: what is read, how it is spoilt, and what must not happen.

`python -m tests.bad_input --minutes 10 --seed 0` looks for longer than the tests do; see docs/bad-input.md.
"""
