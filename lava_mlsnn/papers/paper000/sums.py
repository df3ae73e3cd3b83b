"""Fig. 4, 10 and 11 of [Castagnetti2025]: events at sums and in all of SEW- and Sparse-ResNet, counted both ways."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from ... import analysis
from ...analysis import NetworkActivity
from .. import draw as drawing
from ..findings import Findings, Relation, Spread, as_accurate, quotient
from ..lab import COUNTINGS, Outcome
from ..lab import accuracy as accuracy_of
from ..request import Request
from ..table import ACCURACIES, SEED, beside, per_seed
from . import published, setting
from .setting import CLIP, SEW, SPARSE

LEVELS = 4
CLIPPED = "sparse_resnet18, clip"
SHORT = {SEW: "SEW", SPARSE: "Sparse"}
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
    found[CLIPPED] = setting.residual(request, SPARSE, LEVELS, CLIP)
    counted = {name: [counts(outcome) for outcome in outcomes] for name, outcomes in found.items()}
    data = request.dataset().name
    rows = pd.DataFrame(
        [
            {"network": name, "seed": outcome.job.seed, "sum": i, "block": s.name}
            | {what: float(getattr(s, what)) for what in COUNTS}
            for name, outcomes in found.items()
            for outcome, activity in zip(outcomes, counted[name], strict=True)
            for i, s in enumerate(activity.sums)
        ]
    )
    every = range(int(rows["sum"].max()) + 1)
    spread = {
        (name, what): [Spread.of(getattr(activity.sums[i], what) for activity in counted[name]) for i in every]
        for name in found
        for what in COUNTS
    }
    means = {key: [s.mean for s in spreads] for key, spreads in spread.items()}
    sent, carried, sites = means[SPARSE, "sent"], means[SEW, "carried"], means[SEW, "sites"]
    columns: dict[str, Any] = {
        "sum": lambda i: i,
        "SEW, carried": lambda i: spread[SEW, "carried"][i].number(),
        "SEW, sites": lambda i: spread[SEW, "sites"][i].number(),
        "Sparse, into the barrier": lambda i: spread[SPARSE, "carried"][i].number(),
        "Sparse, behind it": lambda i: spread[SPARSE, "sent"][i].number(),
        "as the paper counts": lambda i: change(sent[i], carried[i]),
        "sites against sites": lambda i: change(sent[i], sites[i]),
        "with clip, behind it": lambda i: spread[CLIPPED, "sent"][i].number(),
        "with clip, as the paper counts": lambda i: change(means[CLIPPED, "sent"][i], carried[i]),
        "paper, CIFAR-10": dict(enumerate(map("{:,} → {:,}".format, *published.FIGURE_10.values()))),
    }

    def draw(figure: Any) -> None:
        top, bottom = figure.subplots(2, 1, sharex=True)
        names = [f"sum {i}" for i in every]
        behind = {
            "SEW, carried": spread[SEW, "carried"],
            "SEW, sites": spread[SEW, "sites"],
            "Sparse, behind the barrier": spread[SPARSE, "sent"],
        }
        into = {f"{SHORT[n]}, {what}": spread[n, what] for n in (SEW, SPARSE) for what in ("direct", "residual")}
        for axes, groups, place in ((top, behind, "behind"), (bottom, into, "into")):
            drawing.bars(axes, names, groups)
            axes.set_ylabel(f"events {place} the sum")

    return Findings(
        f"Fig. 10: events at residual sums, N = 4, T = 1, on {data}",
        rows,
        draw,
        {f"Events per image of {data}": beside(every, columns)},
        (
            _fewer("fewer events behind every sum of Sparse than of SEW, as the paper counts (Fig. 10)", sent, carried),
            _fewer("the same when SEW's sums are counted by their non-zero sites", sent, sites),
        ),
        (
            setting.note(request),
            "For SEW the paper counts direct and residual spikes both; for Sparse what leaves the barrier. A barrier "
            "keeps the support of its sum, so part of the difference is the way of counting: both are given. Sparse is "
            "trained with STE, as in the paper, and once more with the gradient that is the default here.",
        ),
        (8.0, 6.5),
    )


def fig4(request: Request) -> Findings:
    """How events pile up from sum to sum, per event of the first residual connection."""
    found = {name: setting.residual(request, name, LEVELS) for name in (SEW, SPARSE)}
    rows = pd.DataFrame(
        [
            {"network": name, "seed": outcome.job.seed, "sum": i, "events": s.sent}
            | {"per_first_residual": quotient(s.sent, sums[0].residual)}
            for name, outcomes in found.items()
            for outcome in outcomes
            for sums in [counts(outcome).sums]
            for i, s in enumerate(sums)
        ]
    )
    spread = {key: Spread.of(group) for key, group in rows.groupby(["network", "sum"])["per_first_residual"]}
    every = sorted(set(rows["sum"]))
    grown = {name: quotient(spread[name, 1].mean, spread[name, 0].mean) for name in found}
    printed = {name: after / before for name, (before, after) in published.FIGURE_10.items()}
    data = request.dataset().name
    columns: dict[str, Any] = {"sum": lambda i: i}
    columns |= {SHORT[name]: lambda i, name=name: spread[name, i].number() for name in found}

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        drawing.lines(axes, {SHORT[name]: {i: spread[name, i] for i in every} for name in found})
        axes.set(xlabel="residual sum", ylabel="events behind it, per event of the first residual")

    return Findings(
        f"Fig. 4: events that pile up at sums, N = 4, T = 1, on {data}",
        rows,
        draw,
        {"Events behind each sum, per event on the first residual connection": beside(every, columns)},
        tuple(
            Relation(
                f"{SHORT[name]}: events {'grow' if printed[name] > 1 else 'do not grow'} from sum 0 to sum 1 (Fig. 4)",
                (grown[name] > 1) == (printed[name] > 1),
                f"times {grown[name]:.2f}; in Fig. 10 {printed[name]:.2f}",
            )
            for name in found
        ),
        (
            setting.note(request),
            "The figure is a drawing of the principle, without numbers. Counted as in Fig. 10: of SEW what both paths "
            "carry, of Sparse what leaves the barrier.",
        ),
    )


def fig11(request: Request) -> Findings:
    """Accuracy and total spikes over N."""
    levels = setting.networks(request).residual_levels
    found = {(name, n): setting.residual(request, name, n) for n in levels for name in (SEW, SPARSE)}
    data = request.dataset().name
    accuracy = {key: accuracy_of(outcomes) for key, outcomes in found.items()}
    energy = {
        (counting, *key): Spread.of(o.energy(price)["total"] for o in outcomes)
        for key, outcomes in found.items()
        for counting, price in COUNTINGS.items()
    }
    counted = {outcome: counts(outcome) for outcomes in found.values() for outcome in outcomes}
    spikes = {
        (what, *key): Spread.of(total(counted[outcome]) for outcome in outcomes)
        for key, outcomes in found.items()
        for what, total in TOTALS.items()
    }

    def saved(what: str, n: int) -> str:
        return f"{1 - quotient(spikes[what, SPARSE, n].mean, spikes[what, SEW, n].mean):.0%}"

    def against_sew(counting: str, n: int) -> str:
        return f"{energy[counting, SPARSE, n].mean / energy[counting, SEW, n].mean:.2f}"

    rows: dict[str, Any] = {
        "network": lambda key, _: key[0],
        "N": lambda key, _: key[1],
        **SEED,
        **ACCURACIES,
        **{what.replace(" ", "_"): lambda _, o, total=total: total(counted[o]) for what, total in TOTALS.items()},
        "carried": lambda _, outcome: counted[outcome].carried,
        "sites": lambda _, outcome: counted[outcome].sites,
        "energy_J": lambda _, outcome: outcome.energy()["total"],
        "energy_published_J": lambda _, outcome: outcome.energy("qualia")["total"],
        "paper_spikes": lambda key, _: published.FIGURE_11_SPIKES.get(key[1], {}).get(key[0]),
    }
    columns: dict[str, Any] = {
        "N": lambda n: n,
        "accuracy, SEW": lambda n: accuracy[SEW, n],
        "accuracy, Sparse": lambda n: accuracy[SPARSE, n],
        "spikes with sums, SEW": lambda n: spikes["with sums", SEW, n].number(),
        "spikes, Sparse": lambda n: spikes["with sums", SPARSE, n].number(),
        **{f"saved, {what}": lambda n, what=what: saved(what, n) for what in TOTALS},
        "paper, CIFAR-10": {n: f"{share:.0%}" for n, share in published.FIGURE_11_REDUCTION.items()},
        **{f"energy, Sparse / SEW, {c} counting": lambda n, c=c: against_sew(c, n) for c in COUNTINGS},
    }

    def draw(figure: Any) -> None:
        left, right = figure.subplots(1, 2)
        drawing.lines(left, {short: {n: accuracy[m, n] for n in levels} for m, short in SHORT.items()}, scale=0.01)
        left.set(xlabel="N", ylabel="accuracy in %", title="(A)")
        curves = {f"{short}, with sums": {n: spikes["with sums", m, n] for n in levels} for m, short in SHORT.items()}
        curves["SEW, neurons only"] = {n: spikes["emitted", SEW, n] for n in levels}
        drawing.lines(right, curves)
        right.set(xlabel="N", ylabel="events per image", title="(B)")

    relations = [
        as_accurate(
            f"SEW and Sparse have the same accuracy for N = {n} (section 6.5)",
            ("Sparse", "SEW"),
            accuracy[SPARSE, n],
            accuracy[SEW, n],
        )
        for n in levels
    ]
    relations += [
        Relation(
            f"Sparse sends fewer spikes than SEW for N > 1, counted {what}",
            all(spikes[what, SPARSE, n].mean < spikes[what, SEW, n].mean for n in levels if n > 1),
            f"saved at {', '.join(f'N = {n}: {saved(what, n)}' for n in levels)}",
        )
        for what in TOTALS
    ]
    relations += [_growing(spikes, what, levels) for what in TOTALS]
    return Findings(
        f"Fig. 11: accuracy and spikes of SEW- and Sparse-ResNet over N, T = 1, on {data}",
        per_seed(found, rows),
        draw,
        {f"On {data}": beside(levels, columns)},
        relations,
        (
            setting.note(request),
            "Totals are Eq 12 in three readings: emitted (neurons only, barriers are neurons), with sums (each SEW sum "
            "counts like a layer by what its connections carry, as Fig. 10 does), with sum sites (by its non-zero "
            "sites).",
        ),
        (9.0, 4.2),
    )


def _growing(spikes: Mapping[Any, Spread], what: str, levels: tuple[int, ...]) -> Relation:
    """That the share of spikes which Sparse saves is larger at the most levels than at the fewest above one."""
    ends = [n for n in levels if n > 1]
    shares = [
        Spread.of(
            1 - quotient(a, b) for a, b in zip(spikes[what, SPARSE, n].values, spikes[what, SEW, n].values, strict=True)
        )
        for n in (ends[0], ends[-1])
    ]
    return Relation(
        f"SEW's lead in spikes grows from N = {ends[0]} to N = {ends[-1]}, counted {what} (Fig. 11)",
        min(shares[1].values) > max(shares[0].values) if len(ends) > 1 else None,
        f"saved {shares[0].percent()}, {shares[1].percent()}",
    )


def counts(outcome: Outcome) -> NetworkActivity:
    """Activity on the test images of an outcome's network."""
    return analysis.activity(outcome.graph(), outcome.activity())


def change(new: float, old: float) -> str:
    """Relative change.

    >>> change(3, 4), change(1, 0)
    ('-25%', '+nan%')
    """
    return f"{quotient(new, old) - 1:+.0%}"


def _fewer(claim: str, sparse: list[float], sew: list[float]) -> Relation:
    pairs = list(zip(sparse, sew, strict=True))
    changes = ", ".join(f"sum {i} {change(a, b)}" for i, (a, b) in enumerate(pairs))
    return Relation(claim, all(a < b for a, b in pairs), changes)
