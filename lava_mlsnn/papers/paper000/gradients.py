"""Fig. 8 and 9 of [Castagnetti2025]: gradients and validation loss with three ways to pass a residual sum."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ...analysis import GradientNorms, gradient_norms
from .. import draw as drawing
from ..findings import Findings, Relation, Spread, as_accurate, better, compared
from ..lab import Job
from ..lab import accuracy as accuracy_of
from ..request import Request
from ..table import beside
from ..watch import PREFIX
from . import setting
from .setting import CLIP, SEW, SPARSE, STE, SURROGATE

LEVELS = 4
WITH = "Sparse, STE"
WITHOUT = "Sparse, surrogate", "Sparse, Eq 9"
"""Two readings of a barrier without STE: the surrogate of all other neurons, or one sigmoid at a sum of 1."""

CLIPPED = "Sparse, clip"
BARRIERS = {WITH: STE, **dict(zip(WITHOUT, (SURROGATE, "eq9"), strict=True)), CLIPPED: CLIP}
NAMES = {"SEW": (SEW, STE), **{name: (SPARSE, grad) for name, grad in BARRIERS.items()}}
WHEN = INITIAL, DURING, TRAINED = "initial weights", "in training", "trained"
OTHER_SURROGATES = ("detached", "sigmoids")


def fig8(request: Request) -> Findings:
    """Gradient norms at A_l, R_l, O_l."""
    rows = pd.concat([_measured(request, name, when) for name in NAMES for when in WHEN], ignore_index=True)
    data = request.dataset().name
    blocks = sorted(rows["block"].unique())

    def spread(name: str, when: str, place: str, block: int) -> Spread:
        chosen = rows[(rows.network == name) & (rows.when == when) & (rows.place == place) & (rows.block == block)]
        return Spread.of(chosen["mean"])

    def draw(figure: Any) -> None:
        grid = figure.subplots(len(WHEN), 3, sharex=True)
        for row, when in zip(grid, WHEN, strict=True):
            for axes, (place, symbol) in zip(row, (("direct", "A"), ("residual", "R"), ("output", "O")), strict=True):
                drawing.lines(axes, {n: {b: spread(n, when, place, b) for b in blocks} for n in NAMES})
                axes.set(title=f"|dL/d{symbol}|, {when}", yscale="log", xticks=blocks)
        for axes in grid[-1]:
            axes.set_xlabel("residual block")

    norms = {when: {n: [spread(n, when, "direct", b) for b in blocks] for n in NAMES} for when in WHEN}
    tables = {
        f"|dL/dA| on {data}, {when}": beside(
            range(len(blocks)),
            {
                "block": lambda i: blocks[i],
                **{f"{n} (x 1e-3)": lambda i, s=s: s[i].number(1e-3) for n, s in norms[when].items()},
            },
        )
        for when in WHEN
    }
    tables["The same at the initial weights, relative to SEW, for other surrogates of the barrier"] = _others(request)
    relations = [relation for when in WHEN for other in WITHOUT for relation in _order(when, norms[when], other)]
    return Findings(
        f"Fig. 8: gradient norms in residual blocks, on {data}",
        rows,
        draw,
        tables,
        relations,
        (
            setting.note(request),
            "Norms of the gradient of the mean loss of a minibatch, batch norm as in training, float weights: averaged "
            "over one pass over the training images, or in training over all minibatches of the float epochs. The "
            "paper averages 10^4 minibatches and does not say whether before, during or after training.",
            "Without STE the barrier has the surrogate of all other neurons, through its N micro-steps (Fig. 5's text "
            "explains why that is not small at a sum of whole spikes), or one sigmoid at a sum of 1, as Eq 9 reads "
            "literally. Clip is the barrier's own derivative; the paper does not have it.",
        ),
        (11.0, 8.0),
    )


def fig9(request: Request) -> Findings:
    """Validation loss per epoch."""
    found = {name: setting.residual(request, model, LEVELS, barrier) for name, (model, barrier) in NAMES.items()}
    data = request.dataset().name
    losses = {
        name: np.array([[e["val_loss"] for e in o.history] for o in outcomes]) for name, outcomes in found.items()
    }
    floats = request.recipe_for(request.dataset()).epochs
    rows = pd.DataFrame(
        [
            {"network": name, "seed": outcome.job.seed, "epoch": i + 1, "val_loss": epoch["val_loss"]}
            for name, outcomes in found.items()
            for outcome in outcomes
            for i, epoch in enumerate(outcome.history)
        ]
    )
    ends = {name: Spread.of(values[:, -1]) for name, values in losses.items()}
    over = {name: Spread.of(values[:, :floats].mean(1)) for name, values in losses.items()}

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        drawing.lines(axes, {n: {i + 1: Spread.of(v[:, i]) for i in range(v.shape[1])} for n, v in losses.items()})
        axes.axvline(floats + 0.5, color="0.6", linestyle=":")
        axes.set(xlabel="epoch (dotted: from here on integer weights)", ylabel="validation loss", yscale="log")

    accuracies = {name: accuracy_of(outcomes) for name, outcomes in found.items()}
    sew = accuracies["SEW"]
    table = beside(
        NAMES,
        {
            "network": str,
            "after the last epoch": {name: spread.number() for name, spread in ends.items()},
            "mean over the float epochs": {name: spread.number() for name, spread in over.items()},
            "accuracy on the test images": accuracies,
        },
    )
    return Findings(
        f"Fig. 9: validation loss of residual networks, on {data}",
        rows,
        draw,
        {"Validation loss": table},
        [
            *(relation for name in WITHOUT for relation in _losses(name, ends, over)),
            better("Clip is more accurate than STE (ours)", ("clip", "STE"), accuracies[CLIPPED], accuracies[WITH]),
            as_accurate("Sparse with clip has SEW's accuracy (ours)", ("clip", "SEW"), accuracies[CLIPPED], sew),
        ],
        (
            setting.note(request),
            f"{setting.networks(request).validation:.0%} of the training images are held out and watched; which ones "
            "depends on the seed.",
        ),
    )


def _measured(request: Request, name: str, when: str) -> pd.DataFrame:
    frames = []
    for job in setting.residual_jobs(request, NAMES[name][0], LEVELS, NAMES[name][1]):
        norms = _watched(request, job) if when == DURING else _norms(request, job, when).to_frame()
        frames.append(norms.assign(network=name, when=when, seed=job.seed))
    return pd.concat(frames, ignore_index=True)


def _norms(request: Request, job: Job, when: str) -> GradientNorms:
    lab = request.lab(1)
    net = lab.training(job).network() if when == INITIAL else lab.run(job).net()
    dataset = lab.dataset
    order = np.random.RandomState(job.seed).permutation(len(dataset.train_labels))
    return gradient_norms(net, dataset.train_images[order], dataset.train_labels[order], batch=lab.recipe.batch)


def _watched(request: Request, job: Job) -> pd.DataFrame:
    """Means over the minibatches of the float epochs; the deviation is that of the epochs."""
    lab = request.lab(1)
    epochs = lab.run(job).history[: lab.recipe.epochs]
    names = [key for key in epochs[0] if key.startswith(f"{PREFIX} ")]
    rows, blocks = [], list(dict.fromkeys(key.split()[2] for key in names))
    for _, place, name in map(str.split, names):
        values = [epoch[f"{PREFIX} {place} {name}"] for epoch in epochs]
        rows.append(
            {"block": blocks.index(name), "name": name, "place": place, "mean": np.mean(values), "std": np.std(values)}
        )
    return pd.DataFrame(rows)


def _others(request: Request) -> pd.DataFrame:
    """Ratio of |dL/dA| to SEW's at the initial weights of the first seed, for every surrogate of the barrier."""
    (base, *_) = setting.residual_jobs(request, SEW, LEVELS)
    sew = _norms(request, base, INITIAL).direct.mean(0)
    table = []
    for grad in (*BARRIERS.values(), *OTHER_SURROGATES):
        (job, *_) = setting.residual_jobs(request, SPARSE, LEVELS, grad)
        ratios = _norms(request, job, INITIAL).direct.mean(0) / sew
        table.append({"barrier": grad, **{f"block {i}": f"{r:.2f}" for i, r in enumerate(ratios)}})
    return pd.DataFrame(table)


def _order(when: str, norms: dict[str, list[Spread]], other: str) -> list[Relation]:
    """Fig. 8 says two things: STE is above a barrier without it, and STE, not the other, is where SEW is."""
    means = {name: np.array([s.mean for s in spreads]) for name, spreads in norms.items()}
    ste, surrogate = (means[name] / means["SEW"] for name in (WITH, other))
    what = other.removeprefix("Sparse, ")
    return [
        Relation(
            f"with STE |dL/dA| is above that without STE ({what}) in every block (Fig. 8), {when}",
            bool((surrogate < ste).all()),
            f"without / with STE, block by block: {_list(surrogate / ste)}",
        ),
        Relation(
            f"with STE |dL/dA| is closer to SEW's than without STE ({what}) in every block (Fig. 8), {when}",
            bool((abs(np.log(ste)) < abs(np.log(surrogate))).all()),
            f"relative to SEW, block by block: with STE {_list(ste)}, without {_list(surrogate)}",
        ),
    ]


def _losses(name: str, ends: dict[str, Spread], over: dict[str, Spread]) -> list[Relation]:
    """What Fig. 9 says of a barrier without STE: its loss ends higher, and declines more slowly."""

    def higher(claim: str, losses: dict[str, Spread], other: str) -> Relation:
        mine, theirs = losses[name], losses[other]
        return compared(claim, f"{mine.number()} against {theirs.number()}", mine, theirs, points=False)

    loss = f"the loss without STE ({name.removeprefix('Sparse, ')})"
    slower = f"{loss} declines more slowly: its mean over the float epochs is above Sparse with STE"
    return [
        higher(f"{loss} ends above that of Sparse with STE (Fig. 9)", ends, WITH),
        higher(f"{loss} ends above that of SEW (Fig. 9)", ends, "SEW"),
        higher(slower, over, WITH),
    ]


def _list(values: Any) -> str:
    return ", ".join(f"{v:.2f}" for v in values)
