"""Energy of a whole network: a NetGraph and its counted activity in, a report out, by the model of one's choice."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

from ..graph.activity import Activity
from ..graph.graph import NetGraph, require_graph
from ..helpers.tables import UnpublishedError
from .net_horowitz import horowitz_report
from .net_lemaire import lemaire_report
from .net_loihi import loihi_report
from .options import NAMES as OPTION_NAMES
from .report import Report

MODELS: dict[str, Callable[..., Report]] = {
    "lemaire": lemaire_report,
    "horowitz": horowitz_report,
    "loihi1": loihi_report,
    "loihi2_estimate": loihi_report,
}
"""The models of :func:`estimate` by name."""


def estimate(graph: NetGraph, activity: Activity | None, model: str = "lemaire", **settings: Any) -> Report:
    """Energy of one inference, per layer and per term, in joules.

    Args:
        graph: the network.
        activity: its counts (``run.activity`` of the engine, or of Lava); None: an ANN of the same shapes, for ratios.
        model: "lemaire" (memory, operations, addressing in 45 nm), "horowitz" (operations in 45 nm, no memory),
            "loihi1", "loihi2_estimate" (a guess).
        settings: of the model, see :func:`~lava_mlsnn.energy.net_lemaire.lemaire_report`,
            :func:`~lava_mlsnn.energy.net_horowitz.horowitz_report`, :func:`~lava_mlsnn.energy.net_loihi.loihi_report`.

    Returns:
        Report: ``.layers``, ``.total``, ``.spread``, ``.to_frame()``, ``.to_json()``.

    Raises:
        ValueError: unknown model or setting; an activity of another network; a layer without a formula.
        UnpublishedError: model "loihi2": nobody has published its figures.

    Example:
        >>> import numpy as np
        >>> from lava_mlsnn.energy import Activity
        >>> from lava_mlsnn.netx import Connection, Dense, Input, Layer, NetGraph, Readout
        >>> read = Layer("read", (Connection("input", Dense(np.ones((10, 64)))),), (10, 1, 1), Readout())
        >>> graph = NetGraph(Input((64, 1, 1), bits=1), (read,))
        >>> counts = Activity(1, {"input": np.array([20]), "read": np.array([0])},
        ...     {"input": np.array([20]), "read": np.array([0])}, {"read": np.array([[20]])})
        >>> print(estimate(graph, counts))
        lemaire, snn, exact counting: 8.50 nJ, 8.50 nJ published (393 pJ .. 8.52 nJ over ... documented variants)
    """
    check_model(model, settings)
    require_graph(graph)
    if not isinstance(activity, Activity | None):
        raise ValueError(f"activity: expected an Activity such as run.activity, or None, got {type(activity).__name__}")
    if model == "loihi2_estimate":
        settings = {"table": model, **settings}
    return MODELS[model](graph, activity, **settings)


def check_model(model: str, settings: Iterable[str] = ()) -> None:
    """ValueError for an unknown model or a setting that it does not have; UnpublishedError for "loihi2"."""
    if model == "loihi2":
        raise UnpublishedError(
            "Intel has published no energy of a synaptic operation, neuron update, spike or hop of Loihi 2: "
            "model='loihi1' uses the public Loihi 1 tables, model='loihi2_estimate' scales them (a guess)"
        )
    if model not in MODELS:
        raise ValueError(f"model: expected one of {', '.join(MODELS)}, got {model!r}")
    parameters = inspect.signature(MODELS[model]).parameters.values()
    accepted = [p.name for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY]
    if any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters):
        accepted += OPTION_NAMES
    for name in settings:
        if name not in accepted:
            raise ValueError(f"model {model!r} has no setting {name!r}: expected one of {', '.join(accepted)}")


def ann(graph: NetGraph, model: str = "lemaire", **settings: Any) -> Report:
    """Energy of an ANN with the shapes of ``graph``: ``estimate(graph, None, ...)``."""
    return estimate(graph, None, model, **settings)
