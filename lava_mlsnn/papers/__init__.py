"""Figures and tables of the papers as commands: ``mlsnn reproduce ITEM``.

* :data:`ITEMS`, :func:`find`: what there is; :class:`Item` says how to add one.
* :class:`Request`: data, preset, seeds; :class:`~lava_mlsnn.papers.lab.Lab` trains for it and remembers.
* :func:`run`: do an item (or all of a paper) and write its files.
* :func:`agreement`: the verdicts of two runs beside each other.
"""

from __future__ import annotations

from .findings import Findings, Relation, Spread
from .lab import Job, Lab, Outcome
from .registry import ITEMS, Item, find
from .request import PRESETS, Request
from .run import run
from .verdicts import agreement

__all__ = [
    "ITEMS",
    "PRESETS",
    "Findings",
    "Item",
    "Job",
    "Lab",
    "Outcome",
    "Relation",
    "Request",
    "Spread",
    "agreement",
    "find",
    "run",
]
