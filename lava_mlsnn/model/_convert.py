"""A trained ReLU network as a multi-level network in one timestep, by thresholds that are calibrated on data.

A multi-level neuron with T = 1 is a ReLU that is rounded down to N levels and clipped. So each activation of the
trained network becomes spikes z / N that are worth A z / N, A its own range; ranges go into the weights, and half a
level is added to each bias, which makes of rounding down rounding to the nearest. A is chosen per layer for the least
squared error of what is rounded and clipped, on activations of the trained network.

The largest of several spikes is no sum, but max(a, b) = a + max(b - a, 0), and the latter is what a multi-level neuron
with T = 1 makes of a difference of spikes, exactly. So a max pool over K sites becomes K layers: layer j = 1 .. K - 1
sends what site j exceeds site 0 and all layers before by, and the last one sends site 0 and all of these, added.
"""

from __future__ import annotations

import copy
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, fx, nn

from ..data import Dataset
from ..data.dataset import require_dataset
from ..helpers.check import choice, instance, integer, positive_ints
from ._walk import Walk
from .converted import Conversion, Converted
from .setting import Setting

SAMPLES = 512
"""Training images that are calibrated on."""


def convert(
    net: nn.Module, data: Dataset, levels: int = 8, *, samples: int = SAMPLES, max_pool: str = "exact"
) -> Converted:
    """A multi-level network, T = 1, that computes nearly what a trained ReLU network does.

    Args:
        net: images in training's units (pixels times ``data.input_scale``) -> logits, of Conv2d, Linear, BatchNorm,
            ReLU, MaxPool2d behind a ReLU, AvgPool2d, AdaptiveAvgPool2d(1), Flatten, Dropout, Identity and residual sums
            before a ReLU; it ends in a Linear. Not changed.
        data: its training images calibrate, its test images tell what the conversion costs.
        levels: N; more lose less and spike more.
        samples: training images that are calibrated on.
        max_pool: what becomes of a MaxPool2d over K sites: "exact" makes K layers of it, the last of which sends the
            largest spike; each has neurons, events and a timestep of latency of its own. Their weights are trained
            like others if the network is fine-tuned: it is then no longer exactly the largest. "average" puts an
            average in its place, which changes the network; what that costs is in the conversion, and fine-tuning wins
            most of it back.

    Returns:
        The network; ``.conversion`` has the accuracies and the ranges. ``train.fit`` fine-tunes it, ``model.save``
        keeps it, ``netx.quantize`` exports it.

    Raises:
        ValueError: names the module that cannot be converted.
    """
    levels, samples = integer(levels, "levels", 1), integer(samples, "samples", 1)
    choice(max_pool, "max_pool", ("exact", "average"))
    instance(net, nn.Module, "network")
    require_dataset(data)
    if data.steps:
        raise ValueError(f"convert: expected images without time, got T = {data.steps}")
    training = net.training
    net.eval()
    try:
        with torch.no_grad():
            traced, averaged = _averaged(net) if max_pool == "average" else (fx.symbolic_trace(net), ())
            images = _floats(data.train_images[:samples], data)
            activations = _Recorder(traced).recorded(images)
            scale, bits = data.input_scale, data.bits
            setting = Setting(data.shape, data.num_classes, levels, input_scale=scale, input_bits=bits)
            walk = Walk(traced, setting, activations)
            converted = walk.run().eval()
            before, after = (_accuracy(module, data) for module in (net, converted))
    except fx.proxy.TraceError as error:
        raise ValueError(f"convert: the forward of {type(net).__name__} cannot be traced: {error}") from None
    finally:
        net.train(training)
    converted.notes["conversion"] = Conversion(levels, before, after, walk.ranges, averaged).to_dict()
    return converted.train()  # nothing in it depends on the mode; Lightning warns of the other


def _averaged(net: nn.Module) -> tuple[fx.GraphModule, tuple[str, ...]]:
    """The traced network with averages in place of its max pools, and the names of these."""
    traced = fx.symbolic_trace(copy.deepcopy(net))
    found = [name for name, module in traced.named_modules() if isinstance(module, nn.MaxPool2d)]
    for name in found:
        pool = cast(Any, traced.get_submodule(name))
        padding, dilation = positive_ints(pool.padding, "padding", 2, 0), positive_ints(pool.dilation, "dilation", 2)
        if padding != (0, 0) or dilation != (1, 1) or pool.ceil_mode:
            raise ValueError(
                f"convert: {name!r} (MaxPool2d) with padding {padding}, dilation {dilation}, ceil_mode "
                f"{pool.ceil_mode}: expected 0, 1 and False where an average takes its place"
            )
        parent, _, last = name.rpartition(".")
        setattr(traced.get_submodule(parent), last, nn.AvgPool2d(pool.kernel_size, pool.stride))
    return traced, tuple(found)


def _floats(images: Any, data: Dataset) -> Tensor:
    return torch.from_numpy(np.array(images)).float() * data.input_scale


def _accuracy(net: nn.Module, data: Dataset) -> float:
    right = 0
    for start in range(0, len(data.test_labels), 256):
        logits = net(_floats(data.test_images[start : start + 256], data))
        right += int((logits.argmax(1).numpy() == data.test_labels[start : start + 256]).sum())
    return right / max(len(data.test_labels), 1)


class _Recorder(fx.Interpreter):
    """Keeps what each node computes."""

    def recorded(self, x: Tensor) -> dict[str, Tensor]:
        self.found: dict[str, Tensor] = {}
        self.run(x)
        return self.found

    def run_node(self, n: fx.Node) -> Any:
        result = super().run_node(n)
        if isinstance(result, Tensor):
            self.found[n.name] = result.clone()  # a ReLU in place changes what it read
        return result
