"""Result files in, tables and pictures out. Knows no model and imports no torch."""
