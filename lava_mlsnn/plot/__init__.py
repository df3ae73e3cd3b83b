"""Pictures of runs and networks, by matplotlib: each function draws on the axes that it is given, or on new ones.

* :func:`raster`: spikes with their values; :func:`membranes`: what neurons hold, over the timesteps.
* :func:`activity`: events over layers and steps; :func:`avalanche`: what meets at residual sums.
* :func:`energy`: by term; :func:`energy_layers`: by layer and term; :func:`tradeoff`: accuracy against joules.
* :func:`confusion`: labels against predictions; :func:`images`: some with theirs.
* :func:`network`: the graph; :func:`cores`: what it takes on a Loihi 2.

Example:
    >>> import lava_mlsnn as ml
    >>> graph, digits = ml.netx.example("digits_sparse_resnet_t1n4"), ml.data.load("digits")
    >>> run = ml.sim.run(graph, digits.test_images[:20], trace=True)
    >>> ml.plot.activity(graph, run.activity).get_xlabel()
    'timestep'
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..helpers.lazy import lazy

if TYPE_CHECKING:
    from .chip import cores
    from .counts import activity, avalanche
    from .joules import energy, energy_layers, stacked, tradeoff
    from .labels import confusion, images
    from .net import network
    from .spikes import membranes, raster
    from .style import COLOURS, finish

_LAZY = {
    "COLOURS": ".style",
    "activity": ".counts",
    "avalanche": ".counts",
    "confusion": ".labels",
    "cores": ".chip",
    "energy": ".joules",
    "energy_layers": ".joules",
    "finish": ".style",
    "images": ".labels",
    "membranes": ".spikes",
    "network": ".net",
    "raster": ".spikes",
    "stacked": ".joules",
    "tradeoff": ".joules",
}

__all__ = [
    "COLOURS",
    "activity",
    "avalanche",
    "confusion",
    "cores",
    "energy",
    "energy_layers",
    "finish",
    "images",
    "membranes",
    "network",
    "raster",
    "stacked",
    "tradeoff",
]


__getattr__ = lazy(__name__, _LAZY)
