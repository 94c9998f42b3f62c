"""What costs how much, each thing against what it replaces: `python -m benchmarks.NAME`."""
