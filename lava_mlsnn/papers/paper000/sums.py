"""Fig. 10 and 11: events at the sums and in all of SEW- and Sparse-ResNet, counted both ways."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from ... import analysis
from ...analysis import NetworkActivity
from .. import draw as drawing
from ..findings import Findings, Relation, Spread, quotient, within_noise
from ..lab import Outcome
from ..request import Request
from . import published, setting
from .setting import SEW, SPARSE

LEVELS = 4
COUNTS = ("direct", "residual", "carried", "sites", "sent")
TOTALS: dict[str, Callable[[NetworkActivity], float]] = {
    "emitted": lambda a: a.emitted,
    "with sums": lambda a: a.with_sums,
    "with sum sites": lambda a: a.with_sum_sites,
}
"""Eq 12 in three readings: neurons only; SEW sums as layers that send all they receive, or their non-zero sites."""


def fig10(request: Request) -> Findings:
    """Events per sum."""
    found = {name: setting.residual(request, name, LEVELS) for name in (SEW, SPARSE)}
    counted = {name: [counts(outcome) for outcome in outcomes] for name, outcomes in found.items()}
    data = request.dataset().name
    rows = pd.DataFrame(
        [
            {"network": name, "seed": outcome.job.seed, "sum": i, "block": s.name, **_numbers(s)}
            for name, outcomes in found.items()
            for outcome, activity in zip(outcomes, counted[name], strict=True)
            for i, s in enumerate(activity.sums)
        ]
    )
    number = int(rows["sum"].max()) + 1

    def spread(name: str, what: str, i: int) -> Spread:
        return Spread.of(getattr(activity.sums[i], what) for activity in counted[name])

    table = pd.DataFrame(
        [
            {
                "sum": i,
                "SEW, carried": spread(SEW, "carried", i).number(),
                "SEW, sites": spread(SEW, "sites", i).number(),
                "Sparse, into the barrier": spread(SPARSE, "carried", i).number(),
                "Sparse, behind it": spread(SPARSE, "sent", i).number(),
                "as the paper counts": change(spread(SPARSE, "sent", i).mean, spread(SEW, "carried", i).mean),
                "sites against sites": change(spread(SPARSE, "sent", i).mean, spread(SEW, "sites", i).mean),
                "paper, CIFAR-10": _printed(i),
            }
            for i in range(number)
        ]
    )

    def draw(figure: Any) -> None:
        top, bottom = figure.subplots(2, 1, sharex=True)
        names = [f"sum {i}" for i in range(number)]
        every = range(number)
        drawing.bars(
            top,
            names,
            {
                "SEW, carried": [spread(SEW, "carried", i) for i in every],
                "SEW, sites": [spread(SEW, "sites", i) for i in every],
                "Sparse, behind the barrier": [spread(SPARSE, "sent", i) for i in every],
            },
        )
        drawing.bars(
            bottom,
            names,
            {
                f"{title}, {what}": [spread(name, what, i) for i in every]
                for title, name in (("SEW", SEW), ("Sparse", SPARSE))
                for what in ("direct", "residual")
            },
        )
        top.set_ylabel("events behind the sum")
        bottom.set_ylabel("events into the sum")

    means = {(n, w): [spread(n, w, i).mean for i in range(number)] for n in (SEW, SPARSE) for w in COUNTS}
    return Findings(
        f"Fig. 10: events at residual sums, N = 4, T = 1, on {data}",
        rows,
        draw,
        {f"Events per image of {data}": table},
        (
            _fewer(
                "fewer events behind every sum of Sparse than of SEW, as the paper counts (Fig. 10)",
                means[SPARSE, "sent"],
                means[SEW, "carried"],
            ),
            _fewer(
                "the same when SEW's sums are counted by their non-zero sites",
                means[SPARSE, "sent"],
                means[SEW, "sites"],
            ),
        ),
        (
            setting.told(request),
            "For SEW the paper counts direct and residual spikes both; for Sparse what leaves the barrier. A barrier "
            "keeps the support of its sum, so part of the difference is the way of counting: both are given.",
        ),
        (8.0, 6.5),
    )


def fig11(request: Request) -> Findings:
    """Accuracy and total spikes over N."""
    levels = setting.networks(request).residual_levels
    found = {(name, n): setting.residual(request, name, n) for n in levels for name in (SEW, SPARSE)}
    data = request.dataset().name
    accuracy = {key: setting.accuracy(outcomes) for key, outcomes in found.items()}
    energy = {key: Spread.of(o.energy()["total"] for o in outcomes) for key, outcomes in found.items()}
    counted = {key: [counts(outcome) for outcome in outcomes] for key, outcomes in found.items()}
    spikes = {
        (what, *key): Spread.of(total(activity) for activity in activities)
        for key, activities in counted.items()
        for what, total in TOTALS.items()
    }
    rows = pd.DataFrame(
        [
            {
                "network": name,
                "N": n,
                "seed": outcome.job.seed,
                **{f"accuracy_{how}": value for how, value in outcome.record["accuracy"].items()},
                **{what.replace(" ", "_"): total(activity) for what, total in TOTALS.items()},
                "carried": activity.carried,
                "sites": activity.sites,
                "energy_J": outcome.energy()["total"],
                "paper_spikes": published.FIGURE_11_SPIKES.get(n, {}).get(name),
            }
            for (name, n), outcomes in found.items()
            for outcome, activity in zip(outcomes, counted[name, n], strict=True)
        ]
    )

    def saved(what: str, n: int) -> str:
        return f"{1 - quotient(spikes[what, SPARSE, n].mean, spikes[what, SEW, n].mean):.0%}"

    table = pd.DataFrame(
        [
            {
                "N": n,
                "accuracy, SEW": accuracy[SEW, n].percent(),
                "accuracy, Sparse": accuracy[SPARSE, n].percent(),
                "spikes with sums, SEW": spikes["with sums", SEW, n].number(),
                "spikes, Sparse": spikes["with sums", SPARSE, n].number(),
                **{f"saved, {what}": saved(what, n) for what in TOTALS},
                "paper, CIFAR-10": f"{published.FIGURE_11_REDUCTION[n]:.0%}"
                if n in published.FIGURE_11_REDUCTION
                else None,
                "energy, Sparse / SEW": f"{energy[SPARSE, n].mean / energy[SEW, n].mean:.2f}",
            }
            for n in levels
        ]
    )

    def draw(figure: Any) -> None:
        left, right = figure.subplots(1, 2)
        titles = {SEW: "SEW", SPARSE: "Sparse"}
        drawing.lines(left, {titles[m]: {n: accuracy[m, n] for n in levels} for m in titles}, scale=0.01)
        left.set(xlabel="N", ylabel="accuracy in %", title="(A)")
        curves = {f"{titles[m]}, with sums": {n: spikes["with sums", m, n] for n in levels} for m in titles}
        curves["SEW, neurons only"] = {n: spikes["emitted", SEW, n] for n in levels}
        drawing.lines(right, curves)
        right.set(xlabel="N", ylabel="events per image", title="(B)")

    relations = [
        within_noise(
            f"SEW and Sparse have the same accuracy for N = {n} (section 6.5)",
            ("Sparse", "SEW"),
            accuracy[SPARSE, n],
            accuracy[SEW, n],
        )
        for n in levels
    ]
    for what in TOTALS:
        less = [spikes[what, SPARSE, n].mean < spikes[what, SEW, n].mean for n in levels if n > 1]
        told = ", ".join(f"N = {n}: {saved(what, n)}" for n in levels)
        relations.append(
            Relation(f"Sparse sends fewer spikes than SEW for N > 1, counted {what}", all(less), f"saved at {told}")
        )
    return Findings(
        f"Fig. 11: accuracy and spikes of SEW- and Sparse-ResNet over N, T = 1, on {data}",
        rows,
        draw,
        {f"On {data}": table},
        relations,
        (
            setting.told(request),
            "Totals are Eq 12 in three readings: emitted (neurons only, barriers are neurons), with sums (each SEW sum "
            "counts like a layer by what its connections carry, as Fig. 10 does), with sum sites (by its non-zero "
            "sites).",
        ),
        (9.0, 4.2),
    )


def counts(outcome: Outcome) -> NetworkActivity:
    """Of an outcome's test images."""
    return analysis.activity(outcome.graph(), outcome.activity())


def change(new: float, old: float) -> str:
    """Relative change.

    >>> change(3, 4), change(1, 0)
    ('-25%', '+nan%')
    """
    return f"{quotient(new, old) - 1:+.0%}"


def _numbers(s: analysis.SumActivity) -> dict[str, float]:
    return {what: float(getattr(s, what)) for what in COUNTS}


def _printed(i: int) -> str | None:
    both = [values[i] if i < len(values) else None for values in published.FIGURE_10.values()]
    return None if None in both else f"{both[0]:,} → {both[1]:,}"


def _fewer(claim: str, sparse: list[float], sew: list[float]) -> Relation:
    told = ", ".join(f"sum {i} {change(a, b)}" for i, (a, b) in enumerate(zip(sparse, sew, strict=True)))
    return Relation(claim, all(a < b for a, b in zip(sparse, sew, strict=True)), told)
