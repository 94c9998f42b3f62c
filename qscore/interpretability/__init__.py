"""How much of a representation people can name, describe and agree about."""
