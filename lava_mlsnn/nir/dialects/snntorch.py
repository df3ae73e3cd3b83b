"""snnTorch 1.0: ``snntorch.export_nir``."""

from dataclasses import dataclass

from .base import Dialect


@dataclass(frozen=True)
class SnnTorch(Dialect):
    """The reset of ``Leaky``, the only neuron that clears its membrane before it integrates."""

    def takes_effect(self, recurrent: bool, filtered: bool) -> str:
        if self.reset == "hard" and not (recurrent or filtered):
            return "same"
        return super().takes_effect(recurrent, filtered)


SNNTORCH = SnnTorch("snntorch", reset="soft", reset_delay=True, owed=True, open=("reset", "reset_delay"))
"""By default (``reset_mechanism="subtract"``, ``reset_delay=True``) the threshold is subtracted one step later; of
"zero" with a delay, ``Synaptic``, ``RLeaky`` and ``RSynaptic`` lose the input of that step."""
