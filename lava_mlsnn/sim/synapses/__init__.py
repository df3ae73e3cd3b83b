"""Compiled synapses, one file per family of kinds: how the weights lie in memory, and which kernel scatters them.

A new kind needs one more file here and nothing else in ``sim``; all files are imported. For example::

    @compiles(MySynapse)
    def _(synapse: MySynapse, in_shape: Shape) -> Layout:
        _, height, width = in_shape
        return layout(each_tap, synapse.weight, Window(height, height, 1), Window(width, width, 1), groups=in_shape[0])

:func:`~lava_mlsnn.sim.scatter.each_tap` computes any layout. A file may bring a kernel of its own, which the decorator
:func:`~lava_mlsnn.sim.scatter.scatters` compiles; it runs where all sums fit 32 bits and weights 8 bits, ``each_tap``
elsewhere, so that the layout must mean the same to both.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from .arrangement import Layout, Window, arrange, compiles, layout

__all__ = ["Layout", "Window", "arrange", "compiles", "layout"]

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")
