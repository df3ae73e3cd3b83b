"""Energy: counted activity in, joules per layer and per term out. Nothing here loads torch.

* :class:`Activity`: what was counted, from training, the engine or Lava alike.
* :func:`prices`: what one event of each layer costs, for training.
* :func:`estimate`: energy of a NetGraph by one of the models; :func:`ann`: of the ANN with the same shapes.
* :func:`neurobench`: the metrics of NeuroBench's harness from the same counts.
* :mod:`lemaire`, :mod:`horowitz`, :mod:`loihi`: the models, layer by layer; :mod:`paper000`: the published tables.
"""

from __future__ import annotations

from ..graph.activity import Activity
from ..helpers.tables import NoFigureError, UnpublishedError
from . import horowitz, lemaire, loihi, paper000
from .network import MODELS, ann, estimate
from .neurobench import NeuroBench, neurobench
from .options import PRESETS, Options
from .per_event import Prices, prices
from .report import LayerReport, Report

__all__ = [
    "MODELS",
    "PRESETS",
    "Activity",
    "LayerReport",
    "NeuroBench",
    "NoFigureError",
    "Options",
    "Prices",
    "Report",
    "UnpublishedError",
    "ann",
    "estimate",
    "horowitz",
    "lemaire",
    "loihi",
    "neurobench",
    "paper000",
    "prices",
]
