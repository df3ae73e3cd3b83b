"""Compiled neurons, one file per kernel: its equation, the parameters it needs, and the kinds of neurons it computes.

A new kind needs one more file here and nothing else in ``sim``; what these files hold is found when they are imported,
and all of them are. For example::

    def _step(current: Lanes, v: Lanes, bias: Lanes, threshold: Lanes) -> tuple[Lanes, ...]:
        h = v + current + bias
        fired = h >= threshold
        return fired.count(), fired.where(0, h)  # the spikes, the new state

    _kernel = Kernel(_step, "v")

    @compiles(MyNeuron)
    def _(neuron: MyNeuron, bias: NDArray[np.int64]) -> Arranged:
        return _kernel(bias=bias, threshold=neuron.threshold)

See :class:`~lava_mlsnn.sim.neurons.kernel.Kernel` for the forms that parameters can have. The equation must give what
the neuron's own reference step gives, bit for bit; tests/sim/test_sim_engines.py compares the two.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from .kernel import KERNELS, ONE, SHARED, Arranged, Kernel, Rows, arrange, compiles

__all__ = ["KERNELS", "ONE", "SHARED", "Arranged", "Kernel", "Rows", "arrange", "compiles"]

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")
