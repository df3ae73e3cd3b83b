"""Lava is mended before any test module here imports it."""

import lava_mlsnn  # noqa: F401
