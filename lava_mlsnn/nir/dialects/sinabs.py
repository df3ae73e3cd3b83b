"""sinabs 3: ``sinabs.nir`` and ``sinabs.layers``."""

from .base import Dialect

SINABS = Dialect(
    "sinabs",
    dt=1.0,
    fires=">=",
    reset="soft",
    max_spikes=None,
    leak="exp",
    gain="one",
    readout_gain="one",
    open=("reset", "max_spikes", "min_v_mem", "gain"),
)
"""Time constants are in steps. Spikes are floor(v / threshold), by default as many as that is, and v has no lower bound
(``IAF()`` and ``LIF()`` have none). The input is added as it is (``norm_input=False``), which is what
``sinabs.nir.from_nir`` makes of a file; for ``norm_input=True``, the default of ``LIF``, give ``gain="nir"``."""
