"""What defaults were chosen by: small networks, several seeds, measured on held-out training images.

    python benchmarks/choices.py --out out/choices             # trains what is missing, writes the page
    python benchmarks/choices.py --out out/choices precision   # one question
    python benchmarks/choices.py --out out/choices --write     # the page from what has been run

What was expected and the rules of choice stand at the top of docs/choices.md and were committed before the runs; this
program writes what stands below them. The test images are not looked at.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from lava_mlsnn import data, train
from lava_mlsnn.block import as_integers
from lava_mlsnn.helpers.files import atomic_write
from lava_mlsnn.papers.paired import interval
from lava_mlsnn.train import Machine, Training
from lava_mlsnn.train.kept import OUTCOME, Kept, folder_of

PAGE = Path(__file__).parents[1] / "docs" / "choices.md"
MARK = "<!-- below: written by benchmarks/choices.py -->"
SEEDS = (0, 1, 2)
SAME_DIGITS = 0.005
"""What a new gradient of barriers may lose on the digits, as a share."""

GRADS = ("ste", "attached", "detached", "clip", "eq9")
QUESTIONS = {
    "precision": ("32", "bf16"),
    "barrier": (*GRADS, "SEW"),
    "digits": ("t1n4 ste", "t1n4 new", "t4n1 ste", "t4n1 new"),
    "distillation": ("plain", "weight 0.5, temperature 2", "weight 0.9, temperature 4"),
}
"""Each a section of the page, with its variants; the first one is what there was."""

_SETS: dict[str, data.Dataset] = {}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("questions", nargs="*", help=f"of {', '.join(QUESTIONS)}; all by default")
    parser.add_argument("--out", type=Path, required=True, help="folder of the trained networks")
    parser.add_argument("--write", action="store_true", help="only write the page")
    given = parser.parse_args()
    for question in given.questions:
        if question not in QUESTIONS:
            parser.error(f"{question}: expected one of {', '.join(QUESTIONS)}")
    torch.set_num_threads(1)
    for question in () if given.write else given.questions or QUESTIONS:
        for seed in SEEDS:
            for variant in QUESTIONS[question]:
                kept = run(question, variant, seed, given.out)
                print(f"{question} {variant}, seed {seed}: {right(kept).mean():.2%}, {seconds(kept):.0f} s", flush=True)
    write(given.out)


def dataset(name: str) -> data.Dataset:
    """Training images alone, others of them held out as its test images; Fashion-MNIST as 10,000 of 14 x 14 pixels."""
    if name not in _SETS:
        whole = data.load(name)
        digits = name == "digits"
        _SETS[name] = whole.validation(1 / 4, 0) if digits else whole.validation(1 / 6, 0).smaller(train=10_000, pool=2)
    return _SETS[name]


def training(question: str, variant: str, seed: int, out: Path) -> Training:
    """What a variant trains."""
    fashion = dataset("fashion-mnist")
    if question == "barrier":
        name, grad = ("sew_resnet18", {}) if variant == "SEW" else ("sparse_resnet18", {"barrier_grad": variant})
        options = {"levels": 4, "steps": 1, "width": 8, "blocks": (2, 1), **grad}
        return Training(name, options, fashion, train.recipe("fashion-mnist", epochs=3, quantized_epochs=1), seed)
    if question == "digits":
        form, grad = variant.split()
        options = {"levels": int(form[3]), "steps": int(form[1]), "width": 16, "blocks": (1, 1)}
        options["barrier_grad"] = best_barrier(out) if grad == "new" else grad
        return Training("sparse_resnet18", options, dataset("digits"), train.recipe("digits"), seed)
    recipe = train.recipe("fashion-mnist-long", epochs=3, quantized_epochs=1)
    options = {"levels": 4, "steps": 1, "width": 24}
    precision = variant if question == "precision" else "bf16"
    how: dict[str, Any] = {"seed": seed, "machine": Machine("cpu", precision=precision)}
    if question == "precision" or variant == "plain":
        return Training("cnn", options, fashion, recipe, **how)
    floats = train.recipe("fashion-mnist-long", epochs=4, quantized_epochs=0)
    teacher = keep(Training("cnn", {**options, "neuron": "relu"}, fashion, floats, **how), out, f"twin-seed{seed}")
    weight, temperature = (float(part.split()[1]) for part in variant.split(", "))
    recipe = train.recipe(
        "fashion-mnist-long", epochs=3, quantized_epochs=1, distill=train.Distill(weight, temperature)
    )
    return Training("cnn", options, fashion, recipe, teacher=teacher, **how)


def run(question: str, variant: str, seed: int, out: Path) -> Kept:
    """A variant, read or trained."""
    return keep(training(question, variant, seed, out), out, label(question, variant, seed))


def keep(found: Training, out: Path, name: str) -> Kept:
    return train.keep(found, out, partial(measure, found), "predicted", label=name)


def label(question: str, variant: str, seed: int) -> str:
    """What its folder is called. What two questions share is trained once."""
    if question == "distillation" and variant == "plain":
        question, variant = "precision", "bf16"
    return f"{question}-{variant.replace(',', '').replace(' ', '-')}-seed{seed}"


def measure(found: Training, net: Any, _: Path) -> dict[str, Any]:
    """Classes of the held-out images by the integer network, by the floats of an ANN."""
    if found.options.get("neuron") == "relu":
        predicted = train.predict(net, found.dataset).argmax(1)
    else:
        with as_integers(net, found.recipe.weight_bits):
            predicted = train.predict(net, found.dataset).argmax(1)
    share = float((predicted == found.dataset.test_labels).mean())
    return {"accuracy": {"held out": share}, "predicted": "".join(map(str, predicted))}


def right(kept: Kept) -> NDArray[np.bool_]:
    """Which of the held-out images a network has right; ten classes, a digit each."""
    found: NDArray[np.bool_] = np.array(list(kept.record["predicted"]), np.int64) == kept.training.dataset.test_labels
    return found


def seconds(kept: Kept) -> float:
    return float(kept.record["seconds"])


def finished(question: str, out: Path) -> dict[str, list[Kept]]:
    """The variants of which all seeds have been run."""
    found = {}
    for variant in QUESTIONS[question]:
        if question == "digits" and len(finished("barrier", out)) < len(GRADS):
            break  # what is tried there is not known
        wanted = [(training(question, variant, seed, out), label(question, variant, seed)) for seed in SEEDS]
        if all((folder_of(t, out, "predicted", name) / OUTCOME).is_file() for t, name in wanted):
            found[variant] = [keep(t, out, name) for t, name in wanted]
    return found


def best_barrier(out: Path) -> str:
    """The gradient of the highest mean, other than what there was."""
    found = finished("barrier", out)
    if not set(GRADS) <= set(found):
        raise ValueError('digits: expected the question "barrier" to be finished before, it is not')
    return max((grad for grad in GRADS[1:]), key=lambda grad: mean(found[grad]))


def mean(kept: list[Kept]) -> float:
    return float(np.mean([right(k).mean() for k in kept]))


def compared(first: list[Kept], second: list[Kept]) -> tuple[float, float, float]:
    """Points that the first is better, and the 95 % interval over images and trainings."""
    delta, low, high = interval([right(k) for k in first], [right(k) for k in second], 0.95)
    return 100 * delta, 100 * low, 100 * high


def table(found: Mapping[str, list[Kept]], first: str) -> list[str]:
    """One row per variant, compared with the first."""
    rows = ["| | accuracy, % | per seed | better, points | its 95 % interval |", "|---|---|---|---|---|"]
    for name, kept in found.items():
        shares = [100 * right(k).mean() for k in kept]
        delta, low, high = compared(kept, found[first])
        cells = ("", "") if name == first else (f"{delta:+.2f}", f"{low:+.2f} .. {high:+.2f}")
        each = " / ".join(f"{share:.2f}" for share in shares)
        rows.append(f"| {name} | {np.mean(shares):.2f} ± {np.std(shares, ddof=1):.2f} | {each} | {' | '.join(cells)} |")
    return rows


def write(out: Path) -> None:
    """The page, once all questions have been run."""
    found = {name: finished(name, out) for name in QUESTIONS}
    missing = [name for name in QUESTIONS if len(found[name]) < len(QUESTIONS[name])]
    if missing:
        print(f"{PAGE}: left as it is, as there are runs to be made of {', '.join(missing)}")
        return
    precision, barrier, digits, distilled = found.values()
    delta, low, _ = compared(precision["bf16"], precision["32"])
    lines = [
        *("## What came out", ""),
        *("Mean ± standard deviation over three seeds; integer networks, held-out images.", ""),
        *("### Precision", "", *table(precision, "32"), ""),
        *(f"The accuracy holds: **{_said(delta >= -0.3 and low > -1)}**.", ""),
    ]
    new = best_barrier(out)
    better = [right(a).mean() > right(b).mean() for a, b in zip(barrier[new], barrier["ste"], strict=True)]
    far = mean(barrier[new]) - mean(barrier["ste"]) >= 0.01
    lines += ["### Gradient of barriers", "", *table(barrier, "ste"), ""]
    lines += [f'Best beside "ste": "{new}"; better in {sum(better)} of 3 seeds, by a point: {_said(far)}.', ""]
    gains = {form: mean(digits[f"{form} new"]) - mean(digits[f"{form} ste"]) for form in ("t1n4", "t4n1")}
    for form in gains:
        both = {name: digits[f"{form} {name}"] for name in ("ste", "new")}
        lines += [f'On the digits, {form}, "new" is "{new}":', "", *table(both, "ste"), ""]
    chosen = all(better) and far and min(gains.values()) >= -SAME_DIGITS
    lines += [f'By the rule, the default is **"{new if chosen else "ste"}"**.', ""]
    lines += ["### Distillation from the ReLU twin", "", *table(distilled, "plain"), ""]
    for name in QUESTIONS["distillation"][1:]:
        _, low, high = compared(distilled[name], distilled["plain"])
        lines.append(f"- {name}: {'it helps' if low > 0 else 'it harms' if high < 0 else 'cannot be told'}.")
    head = PAGE.read_text(encoding="utf-8").split(MARK)[0]
    atomic_write(PAGE, head + MARK + "\n\n" + "\n".join(lines).rstrip() + "\n")


def _said(holds: bool) -> str:
    return "yes" if holds else "no"


if __name__ == "__main__":
    main()
