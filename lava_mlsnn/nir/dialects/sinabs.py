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
"""Time constants count steps. Spikes are floor(v / threshold), by default without a limit, and v has no lower bound,
as ``IAF()`` and ``LIF()`` have none. The input is added whole (``norm_input=False``), as in what ``sinabs.nir.from_nir``
makes of a file; for ``norm_input=True``, ``gain="nir"``."""
