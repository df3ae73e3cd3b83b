"""Variants of one network that the tables of [VicenteSola2022] compare, with what they print."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from . import trained

WIDE = trained.WIDER
BOOST = {"boost": True}
SHORT = 0.4
"""The share of T for which Tables 16 and 17 train, 20 of 50 steps."""


@dataclass(frozen=True)
class Row:
    """A variant.

    Args:
        name: in tables.
        paper: accuracy as printed.
        options: that make it, in all runs.
        quick, full: more of them, in quick and in full runs.
        epochs: printed.
        share: of T, for which it is trained.
        stop: of T, after which it is stopped.
    """

    name: str
    paper: float
    options: Mapping[str, Any] = field(default_factory=dict)
    quick: Mapping[str, Any] = field(default_factory=dict)
    full: Mapping[str, Any] = field(default_factory=dict)
    epochs: int = trained.FULL_EPOCHS
    share: float = 1.0
    stop: float | None = None


@dataclass(frozen=True)
class Table:
    """Rows, and what is said of them.

    Args:
        title, data: of the paper's table.
        rows: the variants.
        claim: of the orders.
        orders: names of rows, each from the most accurate to the least; default one of all.
        equal: pairs of rows of which the paper says that they are the same.
    """

    title: str
    data: str
    rows: tuple[Row, ...]
    claim: str
    orders: tuple[tuple[str, ...], ...] = ()
    equal: tuple[tuple[str, str], ...] = ()


def _wide(name: str, paper: float, options: Mapping[str, Any], epochs: int = trained.FULL_EPOCHS, **more: Any) -> Row:
    """A row with 32 filters in full runs."""
    return Row(name, paper, options, full=WIDE, epochs=epochs, **more)


def _wider(name: str, paper: float, options: Mapping[str, Any]) -> Row:
    """A row with twice the filters of the others."""
    return Row(name, paper, options, trained.QUICK_WIDER, WIDE)


def _deep(layers: int, paper: float, quick: int) -> Row:
    """An S-ResNet of so many layers, and of so many blocks per stage in quick runs."""
    blocks = {"blocks": ((layers - 2) // 6,) * 3}
    return Row(f"S-ResNet{layers}", paper, quick={"blocks": (quick,) * 3}, full=blocks)


TABLES: dict[int, Table] = {
    2: Table(
        "Table 2: residual connections",
        "CIFAR-10",
        (
            _wide("S2S", 0.9401, {"residual": "s2s"}),
            _wide("V2V", 0.9383, {"residual": "v2v"}),
            _wide("S2M", 0.8927, {"residual": "s2m"}),
            _wide("S2M, fires at Vth", float("nan"), {"residual": "s2m", "strict": False}),
        ),
        "S2S is the most accurate, then V2V, then S2M (section 4)",
        (("S2S", "V2V", "S2M"),),
    ),
    3: Table(
        "Table 3: depth",
        "CIFAR-10",
        (_deep(38, 0.9197, 2), _deep(20, 0.9089, 1), _deep(44, 0.9196, 3)),
        "38 layers are more accurate than 20 (here two blocks per stage and one)",
        (("S-ResNet38", "S-ResNet20"),),
        (("S-ResNet44", "S-ResNet38"),),
    ),
    4: Table(
        "Table 4: encoding",
        "CIFAR-100",
        (
            Row("raw image", 0.6903, {"encoding": "direct"}, epochs=100),
            Row("Poisson spikes", 0.6496, {"encoding": "poisson"}, epochs=100),
        ),
        "the raw image gives more than Poisson spikes (section 4)",
    ),
    5: Table(
        "Table 5: batch norm",
        "CIFAR-100",
        (_wide("BNTT", 0.7454, {"norm": "bntt"}), _wide("BN over time", 0.7082, {"norm": "bn"})),
        "one norm per timestep gives more than one for all (section 4)",
    ),
    8: Table(
        "Table 8: leak per layer",
        "CIFAR-100",
        (
            Row("LIF", 0.6871, {"plif": "none"}, epochs=200),
            Row("PLIF", 0.6493, {"plif": "layer"}, epochs=200),
        ),
        "a leak that is searched gives more than leaks that are trained per layer (section 4)",
    ),
    10: Table(
        "Table 10: one trained leak",
        "CIFAR-100",
        (
            _wide("LIF", 0.7321, {"plif": "none", **BOOST}),
            _wide("one PLIF leak", 0.7244, {"plif": "shared", **BOOST}),
        ),
        "a leak that is searched gives more than one that is trained for all layers (section 4)",
    ),
    15: Table(
        "Table 15: the ANN",
        "CIFAR-10",
        (
            Row("ResNet (ANN)", 0.9233, {"neuron": "relu"}),
            Row("S-ResNet", 0.9197),
            _wider("ResNet wider (ANN)", 0.9356, {"neuron": "relu"}),
            _wider("S-ResNet wider", 0.9266, {}),
        ),
        "the ANN is the more accurate one (section 5.1)",
        (("ResNet (ANN)", "S-ResNet"), ("ResNet wider (ANN)", "S-ResNet wider")),
    ),
    17: Table(
        "Table 17: leak for fewer timesteps",
        "CIFAR-10",
        (
            _wide("trained leak", 0.928, {"plif": "shared", **BOOST}, share=SHORT),
            _wide("leak 0.874", 0.9128, BOOST, share=SHORT),
            _wide("leak 0.874, all steps in training", 0.9193, BOOST, stop=SHORT),
        ),
        "with few timesteps a trained leak gives more than the one searched for 50 (section 5.2)",
        (("trained leak", "leak 0.874"), ("trained leak", "leak 0.874, all steps in training")),
    ),
}
"""By number."""
