"""Fig. 4 of [Castagnetti2023]: non-uniform quantization by thresholds that change in time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from ...neuron.points import SCHEDULES, schedule
from .. import draw as drawing
from ..findings import Findings, Relation
from ..request import Request

STEPS = 4
EXAMPLES: dict[str, tuple[float, float, float, float]] = {
    "equal spacing": (1.0, 0.75, 0.5, 0.25),
    "gaps of +-20 %": (1.0, 0.8, 0.5, 0.2),
    "gaps of +-50 %": (1.0, 0.625, 0.5, 0.125),
}
"""Points p_1 > ... > p_4 of Fig. 4's scheme."""


def fig4(request: Request) -> Findings:
    """Thresholds that change in time, and whether the number of spikes passes k where the input passes a point."""
    inputs = np.arange(1, 1200) / 1000 + 1e-4
    rows, right = [], {}
    for name, points in EXAMPLES.items():
        wanted = (inputs[:, None] >= points).sum(1)
        for kind in SCHEDULES:
            thresholds = schedule(torch.tensor(points, dtype=torch.float64), kind).tolist()
            counts = _spikes(inputs, thresholds).sum(1)
            right[name, kind] = float((counts == wanted).mean())
            rows += [
                {"points": name, "schedule": kind, "i": i, "spikes": c, "wanted": w}
                for i, c, w in zip(inputs, counts, wanted, strict=True)
            ]
    frame = pd.DataFrame(rows)
    claims = [
        Relation(
            f"k spikes exactly where the input passes the k-th smallest point: {kind} schedule, {name}",
            share == 1,
            f"right for {share:.1%} of the inputs",
        )
        for (name, kind), share in right.items()
    ]
    last = {name: _last(points) for name, points in EXAMPLES.items()}
    claims.append(
        Relation(
            "an input of p_4 sends one spike at the last timestep, z = [0001] (Eq 14)",
            all(spikes == [0, 0, 0, 1] for spikes in last.values()),
            f"{last['equal spacing']} with V_4 = 4 p_4",
        )
    )

    def draw(figure: Any) -> None:
        panels = figure.subplots(1, len(EXAMPLES), sharey=True)
        for axes, name in zip(panels, EXAMPLES, strict=True):
            of = frame[frame["points"] == name]
            for kind in SCHEDULES:
                curve = of[of["schedule"] == kind]
                axes.step(curve["i"], curve["spikes"], where="post", label=kind)
            axes.step(curve["i"], curve["wanted"], where="post", color="0.5", linestyle=":", label="wanted")
            axes.set(xlabel="constant input", ylabel="spikes in T = 4", title=name)
        drawing.finish(panels[0])

    title = "Fig. 4: non-uniform quantization by thresholds that change in time (no data needed)"
    note = "Eq 19 solves the second condition of Eq 18 only; the extended schedule continues Eq 14, 15 and 17."
    return Findings(title, frame, draw, {}, claims, (note,), (9.0, 4.2))


def _last(points: tuple[float, ...]) -> list[int]:
    """What an input of p_4 sends where the last threshold is that of Eq 14 and only the first three are high."""
    return [int(z) for z in _spikes(np.array([points[-1] + 1e-6]), [9, 9, 9, STEPS * points[-1]])[0]]


def _spikes(inputs: NDArray[np.float64], thresholds: list[float]) -> NDArray[np.int64]:
    """Spikes (inputs, T) of constant inputs: charge, compare, reset by the threshold of the step."""
    v, sent = np.zeros_like(inputs), []
    for threshold in thresholds:
        v = v + inputs
        sent.append(v >= threshold)
        v = v - threshold * sent[-1]
    return np.stack(sent, axis=1).astype(np.int64)
