"""The float model: evaluate a trained spiking network as torch computes it, with the counts that an engine reports.

It is for networks without integer form (:func:`lava_mlsnn.block.no_integer_layer`): projection functions of membranes,
recurrent mixers, median spikes. It does not replace the integer engine: outputs are floating-point numbers, nothing is
quantized, and no hardware computes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..block import Add, Block, Input, Readout, WindowMixer
from ..data import Dataset
from ..graph.activity import Activity
from ..neuron import Barrier, MultiLevel
from .batches import Batches
from .evaluate import EVALUATION_BATCH, _as_floats, check, seeded


@dataclass(frozen=True, eq=False)
class FloatRun:
    """What came out of a float evaluation.

    Args:
        output: logits.
        activity: counts as those of :class:`lava_mlsnn.sim.Run`: events, sums of values (rounded to whole spikes) and
            non-zero input sites per module, by the module's name; of a window block, those of the recomposed map.
        neurons: number of neurons (sites for "input") per module.

    **Shape:** output float64 (N, classes).
    """

    output: NDArray[np.float64]
    activity: Activity
    neurons: Mapping[str, int]

    @property
    def labels(self) -> NDArray[np.int64]:
        """Index of the largest logit of each sample, the first one where several are equal: int64 (N,)."""
        return self.output.argmax(axis=1)

    def rate(self, name: str) -> float:
        """Events per neuron and sample over all T steps, the spiking rate of [Yao2023], Eq 13 (T counted once)."""
        return self.activity.mean_events(name) / self.neurons[name]

    def record(self, dataset: Dataset) -> dict[str, Any]:
        """JSON-ready: accuracy, spikes per image, rate per layer, counts."""
        layers = [name for name in self.neurons if name != "input"]
        return {
            "accuracy": {"float": float((self.labels == dataset.test_labels).mean())},
            "spikes_per_image": sum(self.activity.mean_events(name) for name in layers),
            "rates": {name: self.rate(name) for name in layers},
            "activity": self.activity.to_dict(),
        }


def float_run(net: nn.Module, dataset: Dataset) -> FloatRun:
    """Present the test images to ``net`` in evaluation mode with its float weights, and count.

    Args:
        net: starts with block.Input; its neurons are multi-level (T steps, window blocks one).
        dataset: its test images.

    Raises:
        ValueError: neurons that send no spikes (ReLU), or images that do not fit.

    Example:
        >>> from lava_mlsnn import data, train
        >>> digits = data.load("digits")
        >>> net = train.create("window_cnn12", digits, width=4, stages=("wF",))
        >>> run = float_run(net, digits)
        >>> run.output.shape, 0 <= run.rate("stage1_window1") <= 1
        ((359, 10), True)
    """
    check(net, dataset)
    senders = {name: module for name, module in net.named_modules() if _sends(module)}
    for name, module in senders.items():
        if not isinstance(module, (Input, Readout)) and not isinstance(module.neuron, (MultiLevel, Barrier)):
            raise ValueError(
                f"layer {name!r}: neuron {type(module.neuron).__name__} sends no spikes: expected neuron.MultiLevel or "
                "neuron.Barrier"
            )
    tally = _Tally()
    hooks = [module.register_forward_hook(tally.hook(name)) for name, module in senders.items()]
    training = net.training
    try:
        with _as_floats(net), torch.inference_mode(), seeded(0):
            net.eval()
            device = next(net.parameters()).device
            batches = Batches(dataset.test_images, dataset.test_labels, EVALUATION_BATCH)
            logits = [net(images.to(device)).double().cpu() for images, _ in batches]
    finally:
        net.train(training)
        for hook in hooks:
            hook.remove()
    return FloatRun(torch.cat(logits).numpy(), tally.activity(len(dataset.test_labels)), tally.neurons)


def _sends(module: nn.Module) -> bool:
    if isinstance(module, Add):
        return module.neuron is not None
    return isinstance(module, (Input, Block, WindowMixer))


class _Tally:
    """Counts of all batches."""

    def __init__(self) -> None:
        self.neurons: dict[str, int] = {}
        self.tables: dict[str, dict[str, NDArray[np.int64]]] = {"events": {}, "values": {}, "sites": {}}

    def hook(self, name: str) -> Any:
        """A forward hook that counts what a module sends and reads."""

        def count(module: nn.Module, inputs: tuple[Tensor, ...], output: Any) -> None:
            sent = output[0] if isinstance(output, tuple) else output
            if isinstance(module, Input):
                self._add("input", sent, 1 / module.netx.scale)
                return
            rows = [_per_step(x) for x in inputs if isinstance(x, Tensor) and x.ndim in (3, 5)]
            seen = np.stack(rows) if not isinstance(module, Add) else _per_step(sum(inputs))[None]
            self.tables["sites"][name] = self.tables["sites"].get(name, 0) + seen
            if isinstance(module, Readout):
                self._add(name, torch.zeros(*sent.shape, seen.shape[1]), 1.0)
            else:
                self._add(name, sent, float(module.neuron.levels))  # type: ignore[union-attr, arg-type]

        return count

    def _add(self, name: str, sent: Tensor, unit: float) -> None:
        values = (sent.abs() * unit).round().double().flatten(0, -2).sum(0).cpu().numpy().astype(np.int64)
        for table, found in (("events", _per_step(sent)), ("values", values)):
            self.tables[table][name] = self.tables[table].get(name, 0) + found
        self.neurons[name] = int(sent[0, ..., 0].numel())

    def activity(self, samples: int) -> Activity:
        """All counts."""
        return Activity(samples, **self.tables)


def _per_step(x: Any) -> NDArray[np.int64]:
    """Non-zero entries per timestep: int64 (T,)."""
    return np.asarray((x != 0).flatten(0, -2).sum(0).cpu().numpy(), np.int64)
