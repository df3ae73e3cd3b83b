"""The networks that the items of [Castagnetti2025] train, by preset. Items share trainings because they ask here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..lab import Job, Outcome
from ..request import Request


@dataclass(frozen=True)
class Networks:
    """Sizes and configurations.

    Args:
        vgg, residual: options of vgg16 and of the residual networks; empty is the paper's width and depth.
        validation: share of the training images that the residual networks do not train on (Fig. 9).
        levels: N (or T) in Fig. 6 and 7.
        residual_levels: N in Fig. 11.
    """

    vgg: Mapping[str, Any]
    residual: Mapping[str, Any]
    validation: float
    levels: tuple[int, ...]
    residual_levels: tuple[int, ...]


SMALL = Networks(
    {"width": 16, "blocks": (2, 2, 2), "hidden": (64,)},
    {"width": 16, "blocks": (2, 2)},
    0.2,
    (1, 2, 4, 8),
    (1, 2, 4, 8),
)
"""For images of up to 16 rows."""

MIDDLE = Networks(
    {"width": 8, "blocks": (1, 1, 1), "hidden": (64,)},
    {"width": 8, "blocks": (2, 1)},
    0.2,
    (1, 2, 4, 8),
    (1, 2, 4, 8),
)
"""For larger images on a small machine."""

FULL = Networks({}, {}, 0.1, tuple(range(1, 11)), tuple(range(1, 9)))
"""The paper's; the share for Fig. 9 is not stated there."""

VGG, SEW, SPARSE = "vgg16", "sew_resnet18", "sparse_resnet18"
TITLES = {VGG: "VGG16", SEW: "SEW-ResNet", SPARSE: "Sparse-ResNet"}
STE, CLIP = "ste", "clip"
"""Gradient of the barrier in the paper (Eq 10), and its own derivative, the default here."""

SURROGATE = "attached"
"""Gradient of the barrier "without STE": that of all other neurons (section 6.3)."""


def networks(request: Request) -> Networks:
    """What a preset trains."""
    if not request.quick:
        return FULL
    return SMALL if request.dataset().shape[1] <= 16 else MIDDLE


def vgg(request: Request, levels: int, steps: int, **options: Any) -> tuple[Outcome, ...]:
    """VGG16 with stride 2 at the end of each stage, one outcome per seed; ``neuron="relu"`` is its ANN twin."""
    everything = {"levels": levels, "steps": steps, **networks(request).vgg, **options}
    return tuple(request.lab(steps).run(Job(VGG, everything, seed)) for seed in request.seeds)


def residual(request: Request, name: str, levels: int, barrier: str = STE) -> tuple[Outcome, ...]:
    """A residual network in one timestep; ``barrier``: gradient of its barrier neurons, if it has any."""
    return tuple(request.lab(1).run(job) for job in residual_jobs(request, name, levels, barrier))


def residual_jobs(request: Request, name: str, levels: int, barrier: str = STE) -> tuple[Job, ...]:
    """The jobs behind :func:`residual`; all watch their gradients, as one item shows them."""
    sizes = networks(request)
    options = {"levels": levels, "steps": 1, **sizes.residual, **({"barrier_grad": barrier} if name == SPARSE else {})}
    return tuple(Job(name, options, seed, sizes.validation, gradients=True) for seed in request.seeds)


def note(request: Request) -> str:
    """What was trained, for the notes."""
    sizes, dataset = networks(request), request.dataset()
    recipe = request.recipe_for(dataset)
    epochs = f"{recipe.epochs} epochs with float weights and {recipe.quantized_epochs} with integers"
    if not request.quick:
        return f"The paper's networks at full width on {dataset.name}; {epochs}."
    plain = "; ".join(
        f"{title} with {', '.join(f'{k} {v}' for k, v in options.items())}"
        for title, options in (("VGG", sizes.vgg), ("residual networks", sizes.residual))
    )
    return (
        f"Small networks, so that two cores are enough: {plain}; {epochs}. Accuracies are those of the "
        f"integer networks on {len(dataset.test_labels)} test images of {dataset.name}, where one image is "
        f"{100 / len(dataset.test_labels):.2f} points."
    )
