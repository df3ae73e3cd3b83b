"""How well a network labels images, as it was trained and as integers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ..block import Input, as_integers, no_integer_layer, quantization_of, quantized, unquantized
from ..data import Dataset
from ..data.dataset import require_dataset
from ..helpers.check import instance
from .batches import Batches
from .recipe import Recipe

EVALUATION_BATCH = 256


def accuracies(net: nn.Module, dataset: Dataset, weight_bits: int = 8) -> dict[str, float]:
    """Share of the test images labeled correctly: "float" with the weights as they are, "quantized" with integers.

    A network without integer form (:func:`lava_mlsnn.block.no_integer_layer`) has "float" only. "quantized" is what
    every engine computes for ``netx.quantize(net, weight_bits)``, label by label.
    """
    check(net, dataset)
    with _as_floats(net):
        as_float = _share(predict(net, dataset), dataset)
    if no_integer_layer(net):
        return {"float": as_float}
    with as_integers(net, weight_bits):
        return {"float": as_float, "quantized": _share(predict(net, dataset), dataset)}


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed torch inside; outside, its random stream goes on as if nothing had happened."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield


@torch.inference_mode()
def predict(net: nn.Module, dataset: Dataset, *, steps: int | None = None, seed: int = 0) -> NDArray[Any]:
    """Logits (N, classes) of the test images, in evaluation mode, with float or integer weights as ``net`` is now.

    Args:
        net: a network.
        dataset: its test images.
        steps: stop after so many, of T or fewer.
        seed: of what the network draws at random (Poisson encoding): the same logits every time.
    """
    check(net, dataset)
    training = net.training
    net.eval()
    batches = Batches(dataset.test_images, dataset.test_labels, EVALUATION_BATCH, shared=False)
    device = next(net.parameters()).device
    with seeded(seed):
        logits = [net(_presented(images.to(device), steps)) for images, _ in batches]
    net.train(training)
    return np.asarray(torch.cat(logits).cpu())


def _presented(images: torch.Tensor, steps: int | None) -> torch.Tensor:
    if steps is None:
        return images
    return images[..., :steps] if images.ndim == 5 else images[..., None].expand(*images.shape, steps)


def check(net: nn.Module, dataset: Dataset) -> None:
    """ValueError if the network reads other images than the dataset's, or in another scale."""
    instance(net, nn.Module, "network")
    require_dataset(dataset)
    entrance = next((module for module in net.modules() if isinstance(module, Input)), None)
    if entrance is None:
        raise ValueError(f"network {type(net).__name__}: expected one that starts with block.Input, found none")
    pairs = {
        "shape": (tuple(entrance.shape), tuple(dataset.shape)),
        "input scale": (entrance.pixel_scale, dataset.input_scale),
        "bits": (entrance.pixel_bits, dataset.bits),
        "steps": (entrance.steps, dataset.steps or entrance.steps),
    }
    for what, (mine, theirs) in pairs.items():
        if mine != theirs:
            raise ValueError(f"{what} of the network's input is {mine}, that of dataset {dataset.name!r} is {theirs}")


@torch.no_grad()
def check_teacher(teacher: nn.Module | None, net: nn.Module, dataset: Dataset, recipe: Recipe) -> None:
    """ValueError if a teacher does not fit the dataset, or is given and not wanted or wanted and not given."""
    if (teacher is None) != (recipe.distill is None):
        given = "none" if teacher is None else "one with a recipe that has no distill"
        raise ValueError(f"teacher: expected one exactly if the recipe has distill, got {given}")
    if teacher is None:
        return
    instance(teacher, nn.Module, "teacher")
    if {id(p) for p in teacher.parameters()} & {id(p) for p in net.parameters()}:
        raise ValueError("teacher: expected another network than the one that is trained, found parameters of both")
    try:
        check(teacher, dataset)
    except ValueError as error:
        raise ValueError(f"teacher: {error}") from None
    teacher.eval()
    images, _ = next(iter(Batches(dataset.train_images[:2], dataset.train_labels[:2], 2, shared=False)))
    with seeded(0):
        logits = teacher(images.to(next(teacher.parameters()).device))
    shape, wanted = tuple(logits.shape), (len(images), dataset.num_classes)
    if shape != wanted or not logits.isfinite().all():
        found = "some that are not finite" if shape == wanted else shape
        raise ValueError(f"teacher: expected finite logits of shape {wanted} for {len(images)} images, got {found}")
    known = list(getattr(teacher, "notes", {}).get("labels", dataset.labels))
    if known != list(dataset.labels):
        raise ValueError(
            f"teacher: expected one of the classes of dataset {dataset.name!r} in their order, "
            f"{_text(dataset.labels)}, got one of {_text(known)}"
        )


def _text(labels: Sequence[Any]) -> str:
    return ", ".join(map(str, labels))


def _share(logits: NDArray[Any], dataset: Dataset) -> float:
    return float((logits.argmax(1) == dataset.test_labels).mean())


@contextmanager
def _as_floats(net: nn.Module) -> Iterator[None]:
    before = quantization_of(net)
    unquantized(net)
    try:
        yield
    finally:
        if before is not None:
            quantized(net, before.weight_bits, per_channel=before.per_channel)
