"""Fig. 6 and 7 of [Castagnetti2025]: k levels in one timestep against k timesteps of binary spikes, VGG16."""

from __future__ import annotations

from collections.abc import Callable
from math import log, nan
from typing import Any

import pandas as pd

from .. import draw as drawing
from .. import hypotheses
from ..findings import Findings, Relation, Spread, as_accurate, better, quotient
from ..lab import COUNTINGS, Outcome
from ..lab import accuracy as accuracy_of
from ..request import Request
from ..table import ACCURACIES, SEED, beside, per_seed
from . import published, setting

MULTI, BINARY = "T = 1, N = k", "T = k, N = 1"

Runs = dict[tuple[int, int], tuple[Outcome, ...]]
Curves = dict[str, dict[int, Spread]]


def runs(request: Request) -> Runs:
    """(T, N) -> one outcome per seed."""
    ks = setting.networks(request).levels
    pairs = dict.fromkeys([(1, k) for k in ks] + [(k, 1) for k in ks])
    return {(steps, levels): setting.vgg(request, levels, steps) for steps, levels in pairs}


def fig6(request: Request) -> Findings:
    """Accuracy over k."""
    found = runs(request)
    ann = accuracy_of(setting.vgg(request, 4, 1, neuron="relu"))
    data = request.dataset().name
    curves = _curves(found, accuracy_of)
    ks = setting.networks(request).levels
    columns: dict[str, Any] = {"k": lambda k: k, MULTI: {**curves[MULTI], "ANN": ann}, BINARY: curves[BINARY]}

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        drawing.lines(axes, curves, scale=0.01)
        axes.axhline(100 * ann.mean, color="0.5", linestyle=":", label="ANN")
        axes.set(xlabel="k", ylabel="accuracy in %")
        drawing.finish(axes)

    return Findings(
        f"Fig. 6: accuracy of VGG16 over levels and over timesteps, on {data}",
        _rows(found),
        draw,
        {f"Accuracy on {data}": beside([*ks, "ANN"], columns)},
        [
            *(
                as_accurate(
                    f"[T = 1, N = {k}] and [T = {k}, N = 1] have the same accuracy (section 6.1)",
                    (f"N = {k}", f"T = {k}"),
                    curves[MULTI][k],
                    curves[BINARY][k],
                )
                for k in ks
                if k > 1
            ),
            better(
                f"the gap to the ANN shrinks from N = {ks[0]} to N = {ks[-1]} (Fig. 6)",
                (f"N = {ks[-1]}", f"N = {ks[0]}"),
                curves[MULTI][ks[-1]],
                curves[MULTI][ks[0]],
            ),
            as_accurate(f"N = {ks[-1]} reaches the ANN (Fig. 6)", (f"N = {ks[-1]}", "ANN"), curves[MULTI][ks[-1]], ann),
        ],
        (setting.note(request),),
    )


def fig7(request: Request) -> Findings:
    """Spikes and Lemaire energy over k."""
    found = runs(request)
    data = request.dataset().name
    spikes = _curves(found, lambda outcomes: Spread.of(map(spikes_of, outcomes)))
    joules = {counting: _joules(found, price) for counting, price in COUNTINGS.items()}
    first = next(iter(found.values()))[0]
    ann = {counting: first.energy(price, "ann")["total"] for counting, price in COUNTINGS.items()}
    ks = setting.networks(request).levels
    columns: dict[str, Any] = {
        "k": lambda k: k,
        **{f"spikes, {name}": lambda k, name=name: spikes[name][k].number() for name in (MULTI, BINARY)},
        "spikes ratio": lambda k: f"{quotient(spikes[MULTI][k].mean, spikes[BINARY][k].mean):.2f}",
    }
    for counting, curves in joules.items():
        for name in (MULTI, BINARY):
            columns[f"energy, {counting}, {name}"] = lambda k, c=curves[name]: c[k].number(1e-6, "µJ")
        columns[f"energy ratio, {counting}"] = lambda k, c=curves: f"{c[MULTI][k].mean / c[BINARY][k].mean:.2f}"
    columns |= {
        "paper, energy ratio (CIFAR-10)": published.RATIOS["cifar10"],
    }

    def draw(figure: Any) -> None:
        left, *rest = figure.subplots(1, 1 + len(joules))
        drawing.lines(left, spikes)
        left.set(xlabel="k", ylabel="spikes per image", title="(A)")
        for axes, counting in zip(rest, joules, strict=True):
            drawing.lines(axes, joules[counting], scale=1e-6)
            axes.axhline(ann[counting] / 1e-6, color="0.5", linestyle=":")
            axes.set(xlabel="k", ylabel="energy per image in µJ (45 nm)", title=f"(B), {counting}; dotted: ANN")

    relations = [*_growth(spikes, ks)]
    relations += [
        _below(f"{what} of [T = 1, N = {k}] below {hypotheses.SAVED:g} of [T = {k}, N = 1]", curves, k, paper.get(k))
        for k in ks
        if k in (4, 8)
        for what, curves, paper in (
            ("spikes", spikes, {4: 57 / 130}),
            *((f"Lemaire energy ({c} counting)", curves, published.RATIOS["cifar10"]) for c, curves in joules.items()),
        )
    ]
    relations += [
        _below_ann(pair, counting, curves, ann[counting])
        for pair in published.FIGURE_7_ENERGY_TO_ANN
        if max(pair) in ks
        for counting, curves in joules.items()
    ]
    needs = ", ".join(f"{joule * 1e6:.3g} µJ in the {counting} counting" for counting, joule in ann.items())
    return Findings(
        f"Fig. 7: spikes and energy of VGG16 over levels and over timesteps, on {data}",
        _rows(found),
        draw,
        {f"Per image of {data}; the ANN of the same shapes needs {needs}": beside(ks, columns)},
        relations,
        (
            setting.note(request),
            "Spikes are Eq 12: non-zero outputs of all neurons. Energy is the Lemaire model with N ACC for each "
            "synaptic operation of a spike of N levels (section 5.3), counted twice: exact, where an event pays for "
            "the positions that it reaches, and as published code does (preset qualia), where it pays for the whole "
            "kernel whatever the stride, which overcharges the spiking side.",
        ),
        (13.0, 4.2),
    )


def spikes_of(outcome: Outcome) -> float:
    """Spikes per image, without the input (Eq 12)."""
    counts = outcome.activity()
    return sum(counts.mean_events(name) for name in counts.events if name != "input")


def _below(claim: str, curves: Curves, k: int, paper: float | None) -> Relation:
    pairs = zip(curves[MULTI][k].values, curves[BINARY][k].values, strict=True)
    ratio = Spread.of(quotient(a, b) for a, b in pairs)
    silent = any(value != value for value in ratio.values)
    printed = f"; paper, CIFAR-10: {paper:.2f}" if paper else ""
    return Relation(claim, None if silent else max(ratio.values) < hypotheses.SAVED, f"{ratio.number()}{printed}")


def _growth(spikes: Curves, ks: tuple[int, ...]) -> tuple[Relation, Relation]:
    """Spikes over k as a power of k."""
    last = ks[-1]
    powers = {
        name: Spread.of(
            log(quotient(b, a) or nan) / log(last / ks[0])
            for a, b in zip(curve[ks[0]].values, curve[last].values, strict=True)
        )
        for name, curve in spikes.items()
    }
    time, levels = powers[BINARY].values, powers[MULTI].values
    low, high = hypotheses.LINEAR
    apart = min(time) - max(levels)
    numbers = f"as T^{powers[BINARY].number()} and N^{powers[MULTI].number()} up to {last}"
    silent = any(value != value for value in (*time, *levels))
    return (
        Relation(
            "spikes grow linearly with T (Fig. 7A)", None if silent else low <= min(time) <= max(time) <= high, numbers
        ),
        Relation(
            "spikes grow more slowly with N than with T (Fig. 7A)",
            None if silent else apart >= hypotheses.SLOWER,
            numbers,
        ),
    )


def _joules(found: Runs, price: str) -> Curves:
    return _curves(found, lambda outcomes: Spread.of(outcome.energy(price)["total"] for outcome in outcomes))


def _below_ann(pair: tuple[int, int], counting: str, curves: Curves, ann: float) -> Relation:
    """As the paper says of each configuration: cheaper than the ANN of the same shapes, or not."""
    steps, levels = pair
    spread = curves[MULTI][levels] if steps == 1 else curves[BINARY][steps]
    ratio, printed = Spread.of(v / ann for v in spread.values), published.FIGURE_7_ENERGY_TO_ANN[pair]
    side = "below" if printed < 1 else "above"
    return Relation(
        f"Lemaire energy of [T = {steps}, N = {levels}] {side} the ANN's (Table 3; {counting} counting)",
        (max(ratio.values) < 1) if printed < 1 else (min(ratio.values) > 1),
        f"{ratio.number()} of the ANN; paper, CIFAR-10: {printed:.2f}",
    )


def _curves(found: Runs, values: Callable[[tuple[Outcome, ...]], Spread]) -> Curves:
    spreads = {pair: values(outcomes) for pair, outcomes in found.items()}
    return {
        MULTI: {levels: spread for (steps, levels), spread in spreads.items() if steps == 1},
        BINARY: {steps: spread for (steps, levels), spread in spreads.items() if levels == 1},
    }


def _rows(found: Runs) -> pd.DataFrame:
    columns: dict[str, Any] = {
        "T": lambda pair, _: pair[0],
        "N": lambda pair, _: pair[1],
        **SEED,
        **ACCURACIES,
        "spikes": lambda _, outcome: spikes_of(outcome),
        "energy_J": lambda _, outcome: outcome.energy()["total"],
        "energy_published_J": lambda _, outcome: outcome.energy("qualia")["total"],
        "energy_decoded_J": lambda _, outcome: outcome.energy("paper000_tables")["total"],
        "energy_ann_J": lambda _, outcome: outcome.energy(network="ann")["total"],
        "energy_ann_published_J": lambda _, outcome: outcome.energy("qualia", "ann")["total"],
        "paper_spikes": published.FIGURE_7,
        "paper_energy_to_ann": published.FIGURE_7_ENERGY_TO_ANN,
    }
    return per_seed(found, columns)
