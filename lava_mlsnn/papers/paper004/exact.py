"""Tables 2 and 5 of [Yao2023]: arithmetic. No data, no training."""

from __future__ import annotations

from itertools import product
from math import trunc
from typing import Any

import numpy as np
import pandas as pd

from ...block import fusion
from ...energy import horowitz
from ...report.picture import COLOURS
from .. import draw as drawing
from ..findings import Findings, Relation
from ..request import Request
from ..table import beside

NO_DATA = "no data set needed"
LSTM_PRINTED = 251
"""Millions of operations of the recurrent network in Table 2."""

UNIT = 1000
"""Every energy of Table 2 is printed so many times too large."""


def table2(request: Request) -> Findings:
    """Each row's energy from its own counts, and the operations of our reading of the networks."""
    printed = horowitz.table2()
    joules = {
        "printed_joules": lambda row: row.as_printed,
        "recomputed_joules": lambda row: row.recomputed,
        "corrected_joules": lambda row: row.corrected,
    }
    counts = {"additions": lambda row: row.additions, "multiplications": lambda row: row.macs}
    rows = beside(printed, {"network": lambda row: row.network, **counts, **joules})
    shown = beside(
        printed,
        {
            "network": lambda row: row.network,
            "#Add": lambda row: f"{row.additions / 1e6:g}M",
            "#Mult": lambda row: f"{row.macs / 1e6:g}M",
            "printed": lambda row: f"{row.printed:g} {row.unit}",
            "from its own counts": lambda row: f"{row.recomputed * 1e6:.1f} uJ",
            "additions of a MAC counted once": lambda row: f"{row.corrected * 1e6:.1f} uJ",
        },
    )
    ratios = [row.as_printed / row.recomputed for row in printed]
    ours, counted = _ours()

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        places = np.arange(len(printed))
        labels = ("printed / 1000", "from its own counts", "additions of a MAC counted once")
        for i, (label, values, unit) in enumerate(zip(labels, joules.values(), (UNIT, 1, 1), strict=True)):
            heights = np.array([values(row) / unit for row in printed]) * 1e6
            axes.bar(places + 0.27 * (i - 1), heights, 0.25, color=COLOURS[i], label=label)
        axes.set(yscale="log", ylabel="energy per image / uJ")
        axes.set_xticks(places, [row.network.replace(" ", "\n", 1) for row in printed], fontsize=7)
        drawing.finish(axes)

    return Findings(
        f"Table 2: operations and energy in 45 nm ({NO_DATA})",
        rows,
        draw,
        {
            "Rows of the paper": shown,
            "Operations of the networks as they are read here": ours,
            f"Layouts that would give the recurrent network's {LSTM_PRINTED}M, to 2 %, fewest changes first": layouts(),
        },
        (
            Relation(
                f"the energies follow from the counts with 0.9 and 4.6 pJ (section 4.2), to 1 % and a factor of {UNIT}",
                all(abs(ratio / UNIT - 1) < 0.01 for ratio in ratios),
                f"printed / recomputed: {min(ratios):.4g} to {max(ratios):.4g}",
            ),
            Relation(
                "they are joules and millijoules, as printed",
                all(abs(ratio - 1) < 0.01 for ratio in ratios),
                f"every unit is {UNIT} times too large",
            ),
            Relation(
                "11 times less than our ANN (section 4.2)",
                round(printed[1].recomputed / printed[5].recomputed) >= 11,
                f"{printed[1].recomputed / printed[5].recomputed:.2f} from the table's counts, "
                f"{printed[1].corrected / printed[5].recomputed:.2f} with additions counted once",
            ),
            *counted,
            _windowed(),
        ),
        (
            "The table charges an ANN 5.5 pJ per multiply-accumulate: 4.6 pJ already hold the addition. The text's "
            "123 mJ are the table's 128.",
        ),
        size=(9.0, 4.2),
    )


def _windowed(channels: int = 48) -> Relation:
    """Eq 15 and 16, of one window and equal channels."""
    conv = channels * 9 * channels * 2
    lstm = channels * channels * 8 + channels * (channels * 8 + 20)
    claim = "in a window an LSTM costs less than a 3x3 convolution (appendix 3.1, Eq 15 and 16)"
    numbers = f"{conv:,} to {lstm:,} for {channels} channels, ratio {conv / lstm:.3f}; {9 / 8} without the lower order"
    return Relation(claim, conv > lstm, numbers)


def layouts(limit: int = 6) -> pd.DataFrame:
    """Other readings of the recurrent network, and the operations that they make.

    The first mixer, 5.31 million as printed, fixes what a mixer is: half of the channels along rows, half along
    columns. Left open are the perceptrons ("MLP-96"), whether a linear layer joins the two halves, whether mergings are
    counted, and how sites under several windows are.
    """
    from ... import model
    from ...analysis.window_cost import costs

    found = costs(model.create("window_lstm12"))

    def millions(part: str, what: str = "operations") -> float:
        return sum(getattr(cost, what) for cost in found if part in cost.name) / 1e6

    joints = sum((48 * 2**s) ** 2 * (32 // 2**s) ** 2 * (3 if s == 2 else 2) for s in range(4)) / 1e6
    rows = []
    for ratio, wide, joint, merged, again in product((1, 2, 3, 4), *[(False, True)] * 4):
        count = millions("window", "computed" if again else "operations") + millions("readout") + joints * joint
        count += ratio * (millions("full") + millions("stage3_full") * wide) + millions("merge") * (not merged)
        changes = {
            f"perceptrons with {ratio} times as many hidden neurons": ratio > 1,
            "192 in the third stage's perceptrons, where 96 is printed": wide,
            "a linear layer behind each mixer": joint,
            "mergings not counted": merged,
            "sites under several windows counted again (then the first mixer has not the printed 5.31M)": again,
        }
        rows.append((sum(changes.values()), abs(count / LSTM_PRINTED - 1), f"{count:.1f}M", changes))
    near = sorted((row for row in rows if row[1] < 0.02), key=lambda row: row[:2])[:limit]
    return pd.DataFrame(
        [{"#OP": count, "changed": "; ".join(k for k, v in changes.items() if v)} for *_, count, changes in near]
    )


def _ours() -> tuple[pd.DataFrame, list[Relation]]:
    """#OP of both networks at CIFAR-10's size, and of their first layers."""
    from ... import model
    from ...analysis.window_cost import costs

    found, relations = [], []
    for name, paper, first in (("window_cnn12", 247, 2.14), ("window_lstm12", LSTM_PRINTED, 5.31)):
        layers = costs(model.create(name))
        total, computed = (sum(getattr(c, key) for c in layers) / 1e6 for key in ("operations", "computed"))
        start = layers[0].operations / 1e6
        found.append(
            {
                "network": name,
                "#OP here": f"{total:.1f}M",
                "#OP printed": f"{paper}M",
                "with sites under several windows counted again": f"{computed:.1f}M",
                "first layer here": f"{start:.2f}M",
                "#Mult printed": f"{first}M",
            }
        )
        claim = f"#OP of {name} as its layout is read here is the printed {paper}M, to 2 %"
        relations.append(Relation(claim, abs(total / paper - 1) < 0.02, f"{total:.1f}M, ratio {total / paper:.3f}"))
        claim = f"#Mult of {name} is its first layer and some fully connected ones (section 4.2): {first}M"
        relations.append(Relation(claim, round(start, 2) == first or None, f"the first layer alone: {start:.2f}M"))
    return pd.DataFrame(found), relations


def table5(request: Request) -> Findings:
    """S(theta) by Eq 20 and by quadrature, and the difference to the plane."""
    from scipy import integrate

    limits = (fusion.THRESHOLD, 2 * fusion.THRESHOLD)
    columns = {
        "theta": lambda theta: theta,
        "S": fusion.surface,
        "S_integrated": lambda t: integrate.dblquad(lambda b, a: _height(a, b, t), *limits, *limits)[0],
        "S_printed": lambda theta: fusion.TABLE5[theta][0],
        "difference": fusion.area_difference,
        "difference_printed": lambda theta: fusion.TABLE5[theta][1],
    }
    frame = beside(fusion.TABLE5, columns)
    pairs = zip(
        frame[["S", "difference"]].values.flat, frame[["S_printed", "difference_printed"]].values.flat, strict=True
    )
    cut = all(trunc(100 * computed) / 100 == printed for computed, printed in pairs)
    apart = float(np.abs(frame["S"] - frame["S_integrated"]).max())

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        thetas = np.linspace(0.02, 1.2, 200)
        axes.plot(thetas, [fusion.surface(t) for t in thetas], color=COLOURS[0], label="S, Eq 20")
        axes.plot(thetas, [fusion.area_difference(t) for t in thetas], color=COLOURS[1], label="S minus the plane")
        for key in ("S_printed", "difference_printed"):
            axes.plot(frame["theta"], frame[key], "x", color="0.3", label="printed" if key == "S_printed" else None)
        axes.set(xlabel="theta")
        drawing.finish(axes)

    return Findings(
        f"Table 5: volume under the projection function ({NO_DATA})",
        frame,
        draw,
        {"Table 5": frame.round(5)},
        (
            Relation("Table 5, every digit", cut, "both rows, cut off (not rounded) to two digits"),
            Relation("Eq 20 is the integral of Eq 12", apart < 1e-10, f"largest distance to a quadrature {apart:.1e}"),
        ),
    )


def _height(a: float, b: float, theta: float) -> float:
    return float(2 * np.sin(theta * np.pi * a / 2) * np.cos(theta * np.pi * b / 2))
