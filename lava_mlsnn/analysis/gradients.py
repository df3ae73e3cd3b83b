"""Gradient norms around the sums of residual blocks ([Castagnetti2025], section 6.3, Fig. 8)."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..block import Add, Block, unquantized
from ..block.core import Connection
from ..helpers.check import integer

if TYPE_CHECKING:
    import pandas as pd

PLACES = ("direct", "residual", "output")


@dataclass(frozen=True, eq=False)
class GradientNorms:
    """Euclidean norms of the gradient of the loss at three places of each residual block, batch by batch.

    Args:
        blocks: names of the sums, from input to output.
        direct: at A_l, where the direct path enters the sum.
        residual: at R_l, where the residual path enters it; what flows back through the direct path is not in it.
        output: at O_l, after the sum or its barrier neuron: everything that flows back to it.

    **Shape:** each (batches, blocks), float64. A norm is that of the whole tensor (batch, C, H, W, T), the loss being a
    mean over the batch.
    """

    blocks: tuple[str, ...]
    direct: NDArray[np.float64]
    residual: NDArray[np.float64]
    output: NDArray[np.float64]

    def to_frame(self) -> pd.DataFrame:
        """One row per block and place: mean and standard deviation over the batches."""
        import pandas as pd

        rows = [
            {"block": i, "name": name, "place": place, "mean": norms[:, i].mean(), "std": norms[:, i].std()}
            for place in PLACES
            for norms in [getattr(self, place)]
            for i, name in enumerate(self.blocks)
        ]
        return pd.DataFrame(rows)


def gradient_norms(
    net: nn.Module,
    images: Any,
    labels: Any,
    *,
    batch: int = 32,
    loss: Callable[[Tensor, Tensor], Tensor] = nn.functional.cross_entropy,
    training: bool = True,
) -> GradientNorms:
    """Norms of dL/dA_l, dL/dR_l and dL/dO_l over minibatches, at the weights as they are: nothing is trained.

    A residual sum is a :class:`lava_mlsnn.block.Add`, or a block of one layer with two connections (Spiking ResNet: A_l
    and R_l are currents there). Works on a copy in float mode, on the network's own device.

    Args:
        net: images -> logits (N, classes).
        images, labels: arrays or tensors, in the order in which they are cut into batches; what is left over is not
            used unless it is all there is.
        batch: images per minibatch.
        loss: of logits and labels, mean over the batch.
        training: batch norm as in training, with the statistics of the batch.

    **Shape:** images (M, C, H, W) or (M, C, H, W, T); labels (M,).

    Raises:
        ValueError: a network without residual sums, no images, or another number of labels.

    Example:
        >>> from lava_mlsnn import model
        >>> small = {"in_shape": (1, 8, 8), "width": 4, "blocks": (1, 1)}
        >>> net = model.create("sparse_resnet18", barrier_grad="ste", **small)
        >>> norms = gradient_norms(net, np.random.default_rng(0).random((8, 1, 8, 8), np.float32), [0, 1] * 4, batch=4)
        >>> norms.blocks, norms.direct.shape
        (('stage1.0.add', 'stage2.0.add'), (2, 2))
        >>> bool(np.allclose(norms.direct, norms.output))  # the barrier's straight-through gradient is 1 (Eq 10)
        True
    """
    batch = integer(batch, "batch", 1)
    x, y = torch.as_tensor(_writable(images)), torch.as_tensor(_writable(labels), dtype=torch.long)
    if len(x) == 0 or len(x) != len(y):
        raise ValueError(f"images and labels: expected as many of each, at least one, got {len(x)} and {len(y)}")
    twin = unquantized(copy.deepcopy(net)).train(training)
    device = next(twin.parameters()).device
    count = max(len(x) // batch, 1)
    found: list[dict[str, list[float]]] = []
    with recorded(twin) as record:
        for i in range(count):
            part = slice(i * batch, (i + 1) * batch)
            record.clear()
            twin.zero_grad(set_to_none=True)
            with torch.enable_grad():
                loss(twin(x[part].to(device)), y[part].to(device)).backward()
            found.append({place: [record[name][place] for name in record] for place in PLACES})
            names = tuple(record)
    arrays = {place: np.array([row[place] for row in found]) for place in PLACES}
    return GradientNorms(names, **arrays)


@contextmanager
def recorded(net: nn.Module) -> Iterator[dict[str, dict[str, float]]]:
    """Hooks on all residual sums; after each backward pass the dictionary holds name -> place -> norm.

    Each input of a sum is passed through a view of its own, so that a residual connection's gradient is told apart
    from what else reads the same spikes.

    Raises:
        ValueError: no residual sums.
    """
    record: dict[str, dict[str, float]] = {}
    handles = []

    def watch(name: str, place: str, tensor: Tensor) -> Tensor:
        view = tensor.view_as(tensor)
        if view.requires_grad:
            view.register_hook(lambda gradient: _keep(record, name, place, gradient))
        return view

    def before(name: str) -> Any:
        def hook(module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
            record.setdefault(name, dict.fromkeys(PLACES, 0.0))
            return tuple(watch(name, place, x) for place, x in zip(PLACES, inputs, strict=False))

        return hook

    def after(name: str, place: str) -> Any:
        def hook(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
            record.setdefault(name, dict.fromkeys(PLACES, 0.0))
            return watch(name, place, output)

        return hook

    several = [module for module in net.modules() if isinstance(module, Block) and module.several]
    inside = {part for block in several for part in block.modules()}
    for name, module in net.named_modules():
        if module in inside:  # two connections of windows and recurrent cells lead from the spikes of the same block
            continue
        connections = [part for part in module.modules() if isinstance(part, Connection)]
        if isinstance(module, Add):
            handles.append(module.register_forward_pre_hook(before(name)))
        elif isinstance(module, Block) and len(connections) == 2:
            for connection, place in zip(connections, PLACES, strict=False):
                handles.append(connection.register_forward_hook(after(name, place)))
        else:
            continue
        handles.append(module.register_forward_hook(after(name, "output")))
    if not handles:
        raise ValueError(
            f"network {type(net).__name__} has no residual sums: expected block.Add or blocks of two connections"
        )
    try:
        yield record
    finally:
        for handle in handles:
            handle.remove()


def _keep(record: dict[str, dict[str, float]], name: str, place: str, gradient: Tensor) -> None:
    record[name][place] = float(gradient.detach().double().norm())


def _writable(values: Any) -> Any:
    return np.array(values) if isinstance(values, np.ndarray) and not values.flags.writeable else values
