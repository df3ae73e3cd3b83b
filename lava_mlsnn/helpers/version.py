"""The version, which files carry and every room may name."""

__version__ = "0.1.0"
