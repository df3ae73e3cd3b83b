"""Accuracy against joules on Fashion-MNIST: no penalty, the plain rate penalty, the energy penalty, ANN and binary.

    python benchmarks/energy_front.py --out out/front            # every seed; an interrupted run goes on
    python benchmarks/energy_front.py --out out/front --pilot    # seed 100, fewer images, and held-out ones
    python benchmarks/energy_front.py --out out/front --write    # the page from what has been run

Per seed one network is trained without a penalty, and every variant continues from its weights with the same number of
epochs, images and learning rates; the ANN is trained from the start for as many epochs. What was expected stands at the
top of docs/energy-front.md and was committed before the runs; this program writes what stands below it, and the
JSON, CSV and PNG beside it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy import stats

from lava_mlsnn import data, energy, netx, report, sim, train
from lava_mlsnn.helpers.files import atomic_write
from lava_mlsnn.report.pareto import draw, points, table
from lava_mlsnn.train import Training
from lava_mlsnn.train.kept import OUTCOME

PAGE = Path(__file__).parents[1] / "docs" / "energy-front.md"
MARK = "<!-- below: written by benchmarks/energy_front.py -->"
MODEL, SIZES = "cnn", {"width": 8}
BASE = train.recipe("fashion-mnist", epochs=4, quantized_epochs=0)
TUNE = train.recipe("fashion-mnist", epochs=1, quantized_epochs=1, lr=0.03)
SEEDS = (0, 1, 2)
RIGHT = "right.npy"


@dataclass(frozen=True)
class Variant:
    """One way to go on from the base network.

    Args:
        series: points of one color in the picture.
        changes: of the recipe.
        options: of the network.
        at_once: whether the changes hold from the first epoch on, not only behind the base network.
    """

    series: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    at_once: bool = False


VARIANTS = {
    "no penalty": Variant("no penalty"),
    "energy 0.25": Variant("energy penalty", {"energy": 0.25}),
    "rate 1": Variant("rate penalty", {"rate": 1.0}),
    "energy 0.17": Variant("energy penalty", {"energy": 0.17}),
    "ANN": Variant("ANN", options={"neuron": "relu"}),
    "binary T=4": Variant("binary T = 4", options={"levels": 1, "steps": 4}),
    "rate 4": Variant("rate penalty", {"rate": 4.0}),
    "energy 0.4": Variant("energy penalty", {"energy": 0.4}),
    "rate 0.3": Variant("rate penalty", {"rate": 0.3}),
    "energy 0.25, at once": Variant("energy penalty at once", {"energy": 0.25}, at_once=True),
    "rate 1, at once": Variant("rate penalty at once", {"rate": 1.0}, at_once=True),
    "energy 0.17, at once": Variant("energy penalty at once", {"energy": 0.17}, at_once=True),
}
"""In the order in which they are run, each for all seeds."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder of the trained networks")
    parser.add_argument("--pilot", action="store_true", help="look at held-out training images only")
    parser.add_argument("--only", nargs="*", choices=VARIANTS, help="these networks")
    parser.add_argument("--seeds", nargs="*", type=int, choices=SEEDS, default=SEEDS, help="these seeds")
    parser.add_argument("--write", action="store_true", help="only write the page")
    given = parser.parse_args()
    torch.set_num_threads(1)
    dataset = data.load("fashion-mnist")
    if given.pilot:
        held_out = dataset.validation(1 / 6, 100)
        fewer = replace(held_out, train_images=held_out.train_images[::3], train_labels=held_out.train_labels[::3])
        for name in ("no penalty", "energy 0.25", "rate 1", "energy 0.17"):
            say(100, name, run(fewer, name, 100, given.out / "pilot"))
        return
    for name in () if given.write else given.only or VARIANTS:
        for seed in given.seeds:
            say(seed, name, run(dataset, name, seed, given.out))
    write(given.out, dataset)


def training(dataset: data.Dataset, name: str, seed: int, out: Path) -> Training:
    """The training of a variant, with its base network trained if it is not there yet."""
    variant = VARIANTS[name]
    options = {"levels": 4, "steps": 1, **SIZES, **variant.options}
    if name == "ANN":
        return Training(MODEL, options, dataset, replace(BASE, epochs=BASE.epochs + TUNE.total_epochs), seed)
    first = replace(BASE, **variant.changes) if variant.at_once else BASE
    base = Training(MODEL, {"levels": 4, "steps": 1, **SIZES}, dataset, first, seed)
    label = f"base-of-{label_of(name, seed)}" if variant.at_once else f"base-seed{seed}"
    kept = train.keep(base, out, partial(measure, base), "front", label=label)
    return Training(MODEL, options, dataset, replace(TUNE, **variant.changes), seed, start=kept)


def run(dataset: data.Dataset, name: str, seed: int, out: Path) -> train.Kept:
    """A variant, read or trained."""
    found = training(dataset, name, seed, out)
    return train.keep(found, out, partial(measure, found), "front", label=label_of(name, seed))


def label_of(name: str, seed: int) -> str:
    """What folder and progress call a variant."""
    return f"{name.replace(',', '').replace(' ', '-').replace('=', '')}-seed{seed}"


def measure(training: Training, net: Any, folder: Path) -> dict[str, Any]:
    """Accuracy and joules of the exported integer network on the test images; of an ANN those of its floats."""
    dataset = training.dataset
    if training.options.get("neuron") == "relu":
        twin = train.create(MODEL, dataset, levels=4, steps=1, **SIZES)
        joules, labels, events = energy.ann(netx.quantize(twin), spread=False).total, train.predict(net, dataset), {}
        labels, ann = labels.argmax(1), joules
    else:
        graph = netx.quantize(net, weight_bits=training.recipe.weight_bits)
        found = sim.run(graph, dataset.test_images)
        joules = energy.estimate(graph, found.activity, spread=False).total
        labels, ann = found.labels, energy.ann(graph, spread=False).total
        events = {layer.name: found.activity.mean_events(layer.name) for layer in graph}
    right = labels == dataset.test_labels
    np.save(folder / RIGHT, right)
    return {"accuracy": {"engine": float(right.mean())}, "joules": joules, "ann": ann, "events": events}


def say(seed: int, name: str, kept: train.Kept) -> None:
    record = kept.record
    last = record["history"][-1]
    print(
        f"seed {seed} {name:12}: {record['accuracy']['engine']:.2%}, {record['joules'] * 1e6:.2f} uJ, "
        f"{record['joules'] / record['ann']:.3f} of the ANN, in training {last.get('energy_share', np.nan):.3f}, "
        f"weight {last.get('energy_weight', np.nan):.2f}, {record['seconds']:.0f} s",
        flush=True,
    )


def write(out: Path, dataset: data.Dataset) -> None:
    """The page, and JSON, CSV and PNG beside it, from the networks that are there."""
    kept = {name: found for name in VARIANTS if (found := finished(dataset, name, out))}
    if "no penalty" not in kept:
        return
    networks = [
        {
            "name": name,
            "series": VARIANTS[name].series,
            "seed": seed,
            "accuracy": record["accuracy"],
            "totals": {"energy": record["joules"], "energy_ann": record["ann"]},
            "events": record["events"],
            "in_training": {k: record["history"][-1].get(k) for k in ("energy_share", "energy_weight")},
            "seconds": record["seconds"],
        }
        for name, seeds in kept.items()
        for seed, record in ((seed, k.record) for seed, k in seeds.items())
    ]
    title = "Fashion-MNIST: accuracy against joules"
    run = report.provenance("python benchmarks/energy_front.py --out out/front", seeds=list(kept["no penalty"]))
    document = {"title": title, "networks": networks, "run": run}
    atomic_write(PAGE.with_suffix(".json"), json.dumps(document, indent=1) + "\n")
    found = points({"front": document})
    atomic_write(PAGE.with_suffix(".csv"), table(found))
    draw(found, PAGE.with_suffix(".png"), f"{title} (mean and standard deviation over seeds)")
    head = PAGE.read_text(encoding="utf-8").split(MARK)[0]
    atomic_write(PAGE, head + MARK + "\n\n" + text(kept) + "\n")


def finished(dataset: data.Dataset, name: str, out: Path) -> dict[int, train.Kept]:
    """The seeds of a variant that have been run."""
    found = {}
    for seed in SEEDS:
        label = label_of(name, seed)
        for folder in out.glob(f"fashion-mnist-{label}-*"):
            if (folder / OUTCOME).is_file():
                found[seed] = run(dataset, name, seed, out)
    return found


def text(kept: Mapping[str, Mapping[int, train.Kept]]) -> str:
    """Table, verdicts and how it was run."""
    plain = kept["no penalty"]
    rows = [
        "| network | accuracy, % | lost, points | µJ per image | of its ANN | of no penalty | in training | seeds |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, seeds in kept.items():
        both = [seed for seed in seeds if seed in plain]
        loss, low, high = lost(seeds, plain)
        seen = [k.record["history"][-1].get("energy_share", np.nan) for k in seeds.values()]
        records = [k.record for k in seeds.values()]
        cells = (
            name,
            spread([100 * r["accuracy"]["engine"] for r in records]),
            "" if seeds is plain else f"{loss:.2f} ({low:.2f} .. {high:.2f})",
            spread([1e6 * r["joules"] for r in records]),
            f"{np.mean([share(r) for r in records]):.3f}",
            f"{np.mean([seeds[s].record['joules'] / plain[s].record['joules'] for s in both]):.3f}",
            "" if np.isnan(seen).any() else f"{np.mean(seen):.3f}",
            ", ".join(map(str, seeds)),
        )
        rows.append(f"| {' | '.join(cells)} |")
    notes = (
        "Accuracy and energy: mean over the seeds ± half of the 95 % interval (Student's t). Lost: against no "
        "penalty, mean over the seeds, with the 95 % interval of a paired bootstrap over the test images. In training: "
        "the share that the last epoch logged over its training images. Energy: Lemaire model, exact counting, the "
        "integer network in the engine, all 10,000 test images; of the ANN, float weights."
    )
    verdicts = [f"{i}. {text}" for i, text in enumerate(decided(kept), 1)]
    picture = "![accuracy against joules](energy-front.png)"
    return "\n".join(["## What came out", "", *rows, "", notes, "", picture, "", "## Decided", "", *verdicts])


def lost(seeds: Mapping[int, train.Kept], plain: Mapping[int, train.Kept]) -> tuple[float, float, float]:
    """Points of accuracy lost against no penalty, mean over seeds, and its 95 % interval over the test images."""
    both = [seed for seed in seeds if seed in plain]
    right = [[np.load(kept[s].folder / RIGHT).astype(float) for s in both] for kept in (plain, seeds)]
    per_image = 100 * (np.mean(right[0], axis=0) - np.mean(right[1], axis=0))
    random = np.random.default_rng(0)
    means = [per_image[random.integers(0, len(per_image), len(per_image))].mean() for _ in range(10_000)]
    low, high = np.percentile(means, [2.5, 97.5])
    return float(per_image.mean()), float(low), float(high)


def share(record: Mapping[str, Any]) -> float:
    """Of the ANN's energy."""
    return float(record["joules"] / record["ann"])


def spread(values: list[float]) -> str:
    """Mean and half of its 95 % interval."""
    if len(values) < 2:
        return f"{np.mean(values):.2f}"
    return f"{np.mean(values):.2f} ± {stats.t.ppf(0.975, len(values) - 1) * stats.sem(values):.2f}"


def decided(kept: Mapping[str, Mapping[int, train.Kept]]) -> list[str]:
    """The expectations at the top of the page, in their order; one whose networks have not been run is open."""
    at = {name: np.mean([share(k.record) for k in seeds.values()]) for name, seeds in kept.items()}
    right = {name: 100 * np.mean([k.record["accuracy"]["engine"] for k in s.values()]) for name, s in kept.items()}
    targets = {name: VARIANTS[name].changes["energy"] for name in kept if VARIANTS[name].series == "energy penalty"}
    open_ = "open: not run."

    def halved(name: str) -> str:
        if name not in kept:
            return open_
        ratio, (loss, low, high) = at[name] / at["no penalty"], lost(kept[name], kept["no penalty"])
        no, yes = ratio > 0.5 or low > 0.3, ratio <= 0.5 and high <= 0.3
        return (
            f"Half the energy at no more than 0.3 points lost, {name}: {said(yes if no or yes else None)}: "
            f"{ratio:.3f} of the energy, {loss:.2f} points lost ({low:.2f} .. {high:.2f})."
        )

    over = {name: at[name] / target - 1 for name, target in targets.items()}
    met = f"The target is met {said(max(over.values()) <= 0.05)}: {listed(over, '+.1%')}." if over else open_

    prices = open_
    rates = sorted((at[name], right[name]) for name in kept if VARIANTS[name].series in ("no penalty", "rate penalty"))
    if "energy 0.17" in kept and len(rates) > 1:
        xs, ys = zip(*rates, strict=True)
        gains = {name: right[name] - float(np.interp(at[name], xs, ys)) for name in targets if at[name] >= xs[0]}
        better = gains["energy 0.17"] >= 0.2 if "energy 0.17" in gains else None
        prices = (
            f"The energy penalty is at least 0.2 points better than the rate penalty at the energy of target 0.17 "
            f"{said(better)}: by {listed(gains, '+.2f')} points (the cheapest rate penalty is at {xs[0]:.3f})."
        )
    logged = [
        abs(k.record["history"][-1]["energy_share"] / share(k.record) - 1)
        for seeds in kept.values()
        for k in seeds.values()
        if "energy_share" in k.record["history"][-1]
    ]
    true = (
        f"Training's own number is right {said(max(logged) <= 0.05)}: at most {max(logged):.1%} off."
        if logged
        else open_
    )

    binary = open_
    if "binary T=4" in kept:
        times = at["binary T=4"] / at["no penalty"]
        binary = (
            f"Binary spikes cost at least twice as much {said(times >= 2)}: {times:.2f} times, "
            f"{at['binary T=4']:.2f} of the ANN."
        )
    return [halved("energy 0.25"), met, prices, true, binary, halved("energy 0.25, at once")]


def said(holds: bool | np.bool_ | None) -> str:
    """A verdict in words."""
    return "**cannot be told**" if holds is None else "**holds**" if holds else "**does not hold**"


def listed(values: Mapping[str, float], form: str) -> str:
    """Names with their values."""
    return ", ".join(f"{name} {value:{form}}" for name, value in values.items())


if __name__ == "__main__":
    main()
