"""Fig. 2 and 5 of [Castagnetti2025]: the neuron and its surrogate gradient. Exact; no data, no training."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from ...analysis.levels import staircase
from ...report.picture import COLOURS
from .. import draw as drawing
from ..findings import Findings, Relation
from ..request import Request

LARGEST = 10
ALPHA, VTH = 5.0, 1.0
NO_DATA = "no data set needed"


def fig2(request: Request) -> Findings:
    """N T + 1 levels for all T, N up to 10, saturation at Vth; the curve for T = 2, N = 4."""
    rows = pd.DataFrame([_levels(n, t) for n in range(1, LARGEST + 1) for t in range(1, LARGEST + 1)])
    count_right = bool((rows["levels"] == rows["N"] * rows["T"] + 1).all())
    saturates = bool((rows["saturates_at"] == "1").all())

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        ticks = [Fraction(k, 400) for k in range(-80, 521)]
        for color, (levels, steps) in zip(COLOURS, ((4, 2), (4, 1), (1, 4)), strict=False):
            curve = [float(y) for y in staircase(ticks, levels, steps)]
            axes.step([float(x) for x in ticks], curve, where="post", color=color, label=f"T = {steps}, N = {levels}")
        axes.axvline(VTH, color="0.6", linestyle=":")
        axes.set(xlabel="constant input x, in units of Vth", ylabel="decoded output (Eq 7)")
        drawing.finish(axes)

    shown = rows.pivot(index="N", columns="T", values="levels").reset_index()
    return Findings(
        f"Fig. 2: levels of the multi-level neuron ({NO_DATA})",
        rows,
        draw,
        {"Output levels for constant inputs, by N and T": shown.rename(columns={c: f"T = {c}" for c in range(1, 11)})},
        (
            Relation(
                "N T + 1 quantization levels (section 4.2)",
                count_right,
                f"in exact arithmetic for all N, T up to {LARGEST}",
            ),
            Relation("the output saturates at x = Vth (Fig. 2)", saturates, "for all of them at x = Vth, none before"),
        ),
        (
            "Each neuron receives constant inputs in steps of Vth / (4 N T) from -Vth / 2 to 3 Vth / 2, in fractions. "
            "log2(N) bits per timestep (section 4.2) is log2(N + 1).",
        ),
    )


def _levels(levels: int, steps: int) -> dict[str, Any]:
    count = levels * steps
    inputs = [Fraction(k, 4 * count) for k in range(-2 * count, 6 * count + 1)]
    outputs = staircase(inputs, levels, steps)
    top = max(outputs)
    first = inputs[outputs.index(top)]
    return {"N": levels, "T": steps, "levels": len(set(outputs)), "saturates_at": str(first), "top": str(top)}


def fig5(request: Request) -> Findings:
    """Derivative of the sigmoid at alpha = 5, Vth = 1, and what a barrier neuron of 4 levels makes of it."""
    import torch

    from ...neuron.surrogate import slopes

    v = np.arange(-1, 3.0001, 1 / 64)
    single = sigmoid_slope(v - VTH)
    rows = pd.DataFrame({"potential": v, "sigma_prime": single})
    whole = torch.arange(0, 9, dtype=torch.float64)
    attached = slopes(whole, 4, ALPHA * VTH, "attached")[0].tolist()
    at_whole = pd.DataFrame(
        {
            "H / Vth": [int(h) for h in whole],
            "one sigmoid (Eq 9)": [f"{sigmoid_slope(np.array(float(h) - VTH)):.4f}" for h in whole],
            "through the 4 micro-steps": [f"{a:.4f}" for a in attached],
        }
    )

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        axes.plot(v, single, color=COLOURS[0], label="σ'(V - Vth), α = 5")
        axes.axvline(VTH, color="0.6", linestyle=":")
        axes.set(xlabel="membrane potential", ylabel="derivative")
        drawing.finish(axes)

    return Findings(
        f"Fig. 5: derivative of the sigmoid surrogate ({NO_DATA})",
        rows,
        draw,
        {"Slope dz/dH where a barrier neuron stands: whole numbers, N = 4": at_whole},
        (
            Relation(
                "the derivative is peaked at Vth and low elsewhere (section 4.4)",
                bool(single.max() == single[np.argmin(abs(v - VTH))]),
                f"{single.max():.2f} = α/4 at Vth, {float(sigmoid_slope(np.array(1.0))):.3f} one Vth away",
            ),
            Relation(
                "behind a sum the surrogate's gradient is low, the potential being near 0 or above Vth (section 4.4)",
                bool(max(attached[1:5]) < 0.5),
                f"for one sigmoid at H ≥ 2 Vth it is; through the N micro-steps of section 4.1 every whole H from Vth "
                f"to N Vth meets the threshold once, with a slope of {min(attached[1:5]):.2f} to "
                f"{max(attached[1:5]):.2f}; it is {attached[0]:.2f} at 0 and {attached[8]:.4f} at 2 N Vth",
            ),
        ),
        ("The paper prints σ(x, α) = 1/(1 - exp(-αx)); the derivative it gives is that of 1/(1 + exp(-αx)).",),
    )


def sigmoid_slope(q: Any) -> Any:
    """alpha S(alpha q) (1 - S(alpha q)).

    >>> float(sigmoid_slope(np.array(0.0)))
    1.25
    """
    s = 1 / (1 + np.exp(-ALPHA * q))
    return ALPHA * s * (1 - s)
