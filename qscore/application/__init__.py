"""The commands: configuration in, run directories out. The only part that knows Hydra."""
