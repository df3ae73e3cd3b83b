"""SpikingJelly 2: ``spikingjelly.activation_based.nir_exchange``."""

from .base import Dialect

SPIKINGJELLY = Dialect("spikingjelly", fires=">=", start="reset")
"""The exporter refuses soft resets, and states what else differs between its neurons."""
