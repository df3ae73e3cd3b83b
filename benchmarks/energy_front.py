"""Accuracy against joules on Fashion-MNIST: no penalty, the plain rate penalty, the energy penalty, ANN and binary.

    python benchmarks/energy_front.py --out out/front            # every seed; an interrupted run goes on
    python benchmarks/energy_front.py --out out/front --pilot    # seed 100, on held-out training images, two variants
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
        series: group of points in the picture.
        changes: of the recipe.
        options: of the network.
    """

    series: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)


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
}
"""In the order in which they are run, each for all seeds."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder of the trained networks")
    parser.add_argument("--pilot", action="store_true", help="look at held-out training images only")
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
    for name in () if given.write else VARIANTS:
        for seed in SEEDS:
            say(seed, name, run(dataset, name, seed, given.out))
            write(given.out, dataset)
    write(given.out, dataset)


def training(dataset: data.Dataset, name: str, seed: int, out: Path) -> Training:
    """The training of a variant, with its base network trained if it is not there yet."""
    variant = VARIANTS[name]
    options = {"levels": 4, "steps": 1, **SIZES, **variant.options}
    if name == "ANN":
        return Training(MODEL, options, dataset, replace(BASE, epochs=BASE.epochs + TUNE.total_epochs), seed)
    base = Training(MODEL, {"levels": 4, "steps": 1, **SIZES}, dataset, BASE, seed)
    kept = train.keep(base, out, partial(measure, base), "front", label=f"base-seed{seed}")
    return Training(MODEL, options, dataset, replace(TUNE, **variant.changes), seed, start=kept)


def run(dataset: data.Dataset, name: str, seed: int, out: Path) -> train.Kept:
    """A variant, read or trained."""
    found = training(dataset, name, seed, out)
    return train.keep(found, out, partial(measure, found), "front", label=label_of(name, seed))


def label_of(name: str, seed: int) -> str:
    """What folder and progress call a variant."""
    return f"{name.replace(' ', '-').replace('=', '')}-seed{seed}"


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
    draw(found, PAGE.with_suffix(".png"), f"{title}, mean of {len(SEEDS)} seeds, test images")
    head = PAGE.read_text(encoding="utf-8").split(MARK)[0]
    atomic_write(PAGE, head + MARK + "\n\n" + text(kept) + "\n")


def finished(dataset: data.Dataset, name: str, out: Path) -> dict[int, train.Kept]:
    """The seeds of a variant that have been run."""
    found = {}
    for seed in SEEDS:
        label = label_of(name, seed)
        for folder in out.glob(f"*-{label}-*"):
            if (folder / OUTCOME).is_file():
                found[seed] = run(dataset, name, seed, out)
    return found


def text(kept: Mapping[str, Mapping[int, train.Kept]]) -> str:
    """Table, verdicts and how it was run."""
    plain = kept["no penalty"]
    rows = [
        "| network | accuracy, % | lost, points (95 %) | µJ per image | of its ANN | of no penalty | in training | seeds |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, seeds in kept.items():
        both = [seed for seed in seeds if seed in plain]
        loss, low, high = lost(seeds, plain, both)
        seen = [k.record["history"][-1].get("energy_share", np.nan) for k in seeds.values()]
        records = [k.record for k in seeds.values()]
        rows.append(
            f"| {name} | {mean_and_interval([100 * r['accuracy']['engine'] for r in records], 2)} "
            f"| {f'{loss:.2f} ({low:.2f} .. {high:.2f})' if seeds is not plain else ''} "
            f"| {mean_and_interval([1e6 * r['joules'] for r in records], 2)} "
            f"| {np.mean([r['joules'] / r['ann'] for r in records]):.3f} "
            f"| {np.mean([seeds[s].record['joules'] / plain[s].record['joules'] for s in both]):.3f} "
            f"| {'' if np.isnan(seen).any() else f'{np.mean(seen):.3f}'} | {len(seeds)} |"
        )
    notes = (
        "Intervals of accuracy and energy are 95 % over the seeds (Student's t); those of what is lost are 95 % of a "
        'paired bootstrap over the test images, of the mean over the seeds, against no penalty. "In training" is the '
        "share that the last epoch logged over augmented training images. Energy: Lemaire model, exact counting, integer "
        "network, all 10,000 test images."
    )
    return "\n".join(["## What came out", "", *rows, "", notes, "", "![front](energy-front.png)", "", *verdicts(kept)])


def lost(
    seeds: Mapping[int, train.Kept], plain: Mapping[int, train.Kept], both: list[int]
) -> tuple[float, float, float]:
    """Points of accuracy lost against no penalty, mean over seeds, and its 95 % interval over the test images."""
    differences = [rights(plain[s]).astype(float) - rights(seeds[s]) for s in both]
    per_image = 100 * np.mean(differences, axis=0)
    draws = np.random.default_rng(0).integers(0, len(per_image), (2000, len(per_image)))
    low, high = np.percentile(per_image[draws].mean(1), [2.5, 97.5])
    return float(per_image.mean()), float(low), float(high)


def rights(kept: train.Kept) -> Any:
    """Whether each test image got the right label."""
    return np.load(kept.folder / RIGHT)


def mean_and_interval(values: list[float], digits: int) -> str:
    """Mean and half of its 95 % interval."""
    mean = f"{np.mean(values):.{digits}f}"
    if len(values) < 2:
        return mean
    return f"{mean} ± {stats.t.ppf(0.975, len(values) - 1) * stats.sem(values):.{digits}f}"


def verdicts(kept: Mapping[str, Mapping[int, train.Kept]]) -> list[str]:
    """The expectations at the top of the page, decided."""
    plain = kept["no penalty"]
    lines = ["## Expectations, decided", ""]

    def mean(name: str, what: Any) -> float:
        return float(np.mean([what(k.record) for k in kept[name].values()]))

    def share(record: Mapping[str, Any]) -> float:
        return float(record["joules"] / record["ann"])

    def accuracy(record: Mapping[str, Any]) -> float:
        return 100 * float(record["accuracy"]["engine"])

    if "energy 0.25" in kept:
        ratio = mean("energy 0.25", lambda r: r["joules"]) / mean("no penalty", lambda r: r["joules"])
        loss, low, high = lost(kept["energy 0.25"], plain, [s for s in kept["energy 0.25"] if s in plain])
        holds = (
            "holds"
            if ratio <= 0.5 and high <= 0.3
            else "cannot be told"
            if ratio <= 0.5 and low <= 0.3
            else "does not hold"
        )
        lines.append(
            f"1. Half the energy, at most 0.3 points lost: **{holds}**: {ratio:.3f} of the energy, {loss:.2f} points lost "
            f"({low:.2f} .. {high:.2f})."
        )
    aimed = {name: v.changes["energy"] for name, v in VARIANTS.items() if "energy" in v.changes and name in kept}
    if aimed:
        over = {name: mean(name, share) / target - 1 for name, target in aimed.items()}
        lines.append(
            f"2. No exported network is more than 5 % above its target: **{'holds' if max(over.values()) <= 0.05 else 'does not hold'}**: "
            + ", ".join(f"{name} {x:+.1%}" for name, x in over.items()) + "."
        )  # fmt: skip
    rates = sorted(
        (mean(n, share), mean(n, accuracy))
        for n, v in VARIANTS.items()
        if n in kept and not v.options and "energy" not in v.changes
    )
    if len(rates) > 1 and aimed:
        xs, ys = zip(*rates, strict=True)
        gains = {
            n: mean(n, accuracy) - float(np.interp(mean(n, share), xs, ys)) for n in aimed if mean(n, share) >= xs[0]
        }
        last = gains.get("energy 0.17")
        verdict = "cannot be told" if last is None else "holds" if last >= 0.2 else "does not hold"
        lines.append(
            f"3. At the energy of the target 0.17 the energy penalty is at least 0.2 points more accurate than the rate penalty "
            f"(interpolated between its strengths): **{verdict}**: "
            + (", ".join(f"{n} {g:+.2f}" for n, g in gains.items()) or "the rate penalty got nowhere as cheap") + " points."
        )  # fmt: skip
    seen = [
        abs(k.record["history"][-1]["energy_share"] / share(k.record) - 1)
        for n in kept for k in kept[n].values() if "energy_share" in k.record["history"][-1]
    ]  # fmt: skip
    if seen:
        lines.append(
            f"4. What training logs in its last epoch is within 5 % of the exported network on the test images: "
            f"**{'holds' if max(seen) <= 0.05 else 'does not hold'}**: at most {max(seen):.1%} apart."
        )
    if "binary T=4" in kept:
        times = mean("binary T=4", lambda r: r["joules"]) / mean("no penalty", lambda r: r["joules"])
        lines.append(
            f"5. Binary spikes in four timesteps cost at least twice the multi-level network without a penalty: "
            f"**{'holds' if times >= 2 else 'does not hold'}**: {times:.2f} times, {mean('binary T=4', share):.2f} of the ANN."
        )
    return lines


if __name__ == "__main__":
    main()
