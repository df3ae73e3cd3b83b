"""How :func:`lava_mlsnn.model.convert` goes through a traced ReLU network, node by node, and builds the other one."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights, fuse_linear_bn_weights

from ..helpers.check import positive_ints
from .catalog import CONVERTED
from .converted import Converted, sizes_of, synapse
from .setting import Setting

CLIPS = np.linspace(0.2, 1.0, 41)
"""Ranges that are tried, as shares of the largest activation."""

_ADDS = (operator.add, operator.iadd, torch.add)
_RELUS = (F.relu, F.relu_, torch.relu, torch.relu_)
_IGNORED = (nn.Identity, nn.Dropout, nn.Dropout2d)
_KNOWN = (
    "Conv2d, Linear, BatchNorm, ReLU, MaxPool2d, AvgPool2d, AdaptiveAvgPool2d(1), Flatten, Dropout, Identity and "
    "residual sums"
)


@dataclass(frozen=True)
class _Spikes:
    """What a part of the new network sends, and what a 1 of it is worth."""

    name: str
    worth: float
    graded: bool = False
    """Whether neurons of N levels sent them: no pixels, no sums of a pool."""


_Term = tuple[_Spikes, nn.Conv2d | nn.Linear]


@dataclass(frozen=True)
class _Current:
    """A sum of linear maps of spikes: (spikes, weight and bias as a module)."""

    terms: tuple[_Term, ...]


class Walk:
    """Goes through the traced network and builds the new one."""

    def __init__(self, traced: fx.GraphModule, setting: Setting, activations: dict[str, Tensor]) -> None:
        self.traced, self.activations, self.levels = traced, activations, setting.levels
        self.modules = dict(traced.named_modules())
        self.net = Converted(setting)
        self.parts: list[dict[str, Any]] = []
        self.values: dict[fx.Node, _Spikes | _Current] = {}
        self.ranges: dict[str, float] = {}

    def run(self) -> Converted:
        for node in self.traced.graph.nodes:
            if node.op == "output":
                self._readout(node)
            else:
                self.values[node] = self._value(node)
        self.net.config = {"name": CONVERTED, **self.net.setting.to_dict(), "parts": tuple(self.parts)}
        return self.net

    def _add(self, name: str, kind: str, sizes: list[Any], *reads: str) -> Any:
        """Add a part to the network; its module."""
        self.parts.append({"name": name, "reads": list(reads), "kind": kind, "sizes": sizes})
        return self.net.add(self.parts[-1])

    def _value(self, node: fx.Node) -> _Spikes | _Current:
        if node.op == "placeholder":
            return _Spikes("input", 1.0)
        module = self.modules.get(str(node.target)) if node.op == "call_module" else None
        read = [self.values[arg] for arg in node.args if isinstance(arg, fx.Node)]
        if isinstance(module, nn.Conv2d | nn.Linear):
            return _Current(((self._spikes(node, read[0]), module),))
        if isinstance(module, nn.BatchNorm2d | nn.BatchNorm1d):
            return self._normed(node, read[0], module)
        if isinstance(module, nn.ReLU) or node.target in _RELUS or (node.op, node.target) == ("call_method", "relu"):
            return self._neurons(node, read[0])
        if node.target in _ADDS and len(read) == 2:
            return _Current(tuple(term for value in read for term in self._terms(node, value)))
        if isinstance(module, _IGNORED):
            return read[0]
        if isinstance(module, nn.MaxPool2d):
            return self._largest(node, self._spikes(node, read[0]), module)
        kind, sizes = self._part(node, module)
        spikes, name = self._spikes(node, read[0]), _free(node.name, self.net)
        self._add(name, kind, sizes, spikes.name)
        return _Spikes(name, spikes.worth)

    def _largest(self, node: fx.Node, spikes: _Spikes, pool: nn.MaxPool2d) -> _Spikes:
        """The largest spike of each window, by neurons that send differences."""
        if not spikes.graded or pool.ceil_mode or pool.return_indices:
            raise ValueError(
                f"convert: {node.target!r} (MaxPool2d): expected one right behind a ReLU or another, without ceil_mode "
                'and return_indices, or max_pool="average"'
            )
        channels = self.activations[cast(fx.Node, node.args[0]).name].shape[1]
        kernel = positive_ints(pool.kernel_size, "pool", 2)
        geometry: Any = (pool.stride, pool.padding, pool.dilation, channels, False)

        def picked(*weights: tuple[tuple[int, ...], float]) -> nn.Conv2d:
            conv = nn.Conv2d(channels, channels, cast(Any, kernel), *geometry)
            nn.init.zeros_(conv.weight)
            for (row, column), weight in weights:
                conv.weight[:, 0, row, column] = weight
            return conv

        first, *others = product(*map(range, kernel))
        excess: list[_Spikes] = []
        for place in others:
            before = [(sent, _same(channels, -1.0)) for sent in excess]
            terms = ((spikes, picked((place, 1.0), (first, -1.0))), *before)
            excess.append(self._fired(node.name, terms, spikes.worth))
        return self._fired(
            node.name,
            ((spikes, picked((first, 1.0))), *((sent, _same(channels)) for sent in excess)),
            spikes.worth,
        )

    def _part(self, node: fx.Node, module: nn.Module | None) -> tuple[str, list[Any]]:
        """Kind and sizes of a pool or a flatten."""
        if isinstance(module, nn.AvgPool2d) and module.padding in (0, (0, 0)) and not module.ceil_mode:
            return "pool", [list(positive_ints(size, "pool", 2)) for size in (module.kernel_size, module.stride)]
        if isinstance(module, nn.AdaptiveAvgPool2d) and module.output_size in (1, (1, 1)):
            return "pool", []
        is_flatten = node.target is torch.flatten or (node.op, node.target) == ("call_method", "flatten")
        if isinstance(module, nn.Flatten) or is_flatten:
            return "flatten", []
        what = str(node.target) if module is not None else node.name
        kind = type(module).__name__ if module is not None else getattr(node.target, "__name__", str(node.target))
        why = f"cannot be converted: expected {_KNOWN}"
        if "max_pool2d" in kind:
            why = "is a function: expected a module, nn.MaxPool2d"
        raise ValueError(f"convert: {what!r} ({kind}) {why}")

    def _spikes(self, node: fx.Node, value: _Spikes | _Current) -> _Spikes:
        if isinstance(value, _Current):
            raise ValueError(f"convert: {node.target!r} reads a sum without ReLU: expected a ReLU before it")
        return value

    def _terms(self, node: fx.Node, value: _Spikes | _Current) -> tuple[tuple[_Spikes, nn.Conv2d | nn.Linear], ...]:
        """Spikes that are added as they are pass a convolution with one weight per channel."""
        if isinstance(value, _Current):
            return value.terms
        shape = self.activations[node.name].shape
        if len(shape) != 4:
            raise ValueError(f"convert: {node.name!r} adds vectors as they are: expected maps, or a Linear in between")
        return ((value, _same(shape[1])),)

    def _normed(self, node: fx.Node, value: _Spikes | _Current, norm: nn.BatchNorm2d | nn.BatchNorm1d) -> _Current:
        if not isinstance(value, _Current) or len(value.terms) != 1:
            raise ValueError(f"convert: {node.target!r} normalizes no single convolution: expected it right behind one")
        spikes, linear = value.terms[0]
        fuse: Any = fuse_conv_bn_weights if isinstance(linear, nn.Conv2d) else fuse_linear_bn_weights
        numbers = (norm.running_mean, norm.running_var, norm.eps, norm.weight, norm.bias)
        weight, bias = fuse(linear.weight, linear.bias, *numbers)
        return _Current(((spikes, _like(linear, weight, bias)),))

    def _neurons(self, node: fx.Node, value: _Spikes | _Current) -> _Spikes:
        if isinstance(value, _Spikes):
            return value  # spikes are not negative
        worth = best_range(self.activations[node.name].numpy(), self.levels)
        sent = self._fired(node.name, value.terms, worth)
        self.ranges[sent.name] = worth
        return sent

    def _fired(self, node: str, terms: tuple[_Term, ...], worth: float) -> _Spikes:
        """Neurons of N levels that a current drives, with the name of a node or one like it."""
        name = _free(node, self.net)
        sizes = [sizes_of(linear) for _, linear in terms]
        block = self._add(name, "neurons", sizes, *(spikes.name for spikes, _ in terms))
        for i, (spikes, linear) in enumerate(terms):
            bias = torch.zeros(linear.weight.shape[0]) if linear.bias is None else linear.bias / worth
            if not i:
                bias = bias + 0.5 / self.levels
            block.connections[i].synapse = _like(linear, linear.weight * (spikes.worth / worth), bias)
        return _Spikes(name, worth, graded=True)

    def _readout(self, node: fx.Node) -> None:
        value = self.values[cast(fx.Node, node.args[0])]
        if not isinstance(value, _Current) or len(value.terms) != 1 or not isinstance(value.terms[0][1], nn.Linear):
            raise ValueError("convert: expected a network that ends in a Linear")
        spikes, last = value.terms[0]
        linear = cast(nn.Linear, last)
        readout = self._add(_free("readout", self.net), "readout", sizes_of(linear), spikes.name)
        bias = torch.zeros(linear.out_features) if linear.bias is None else linear.bias
        readout.connections[0].synapse = _like(linear, linear.weight * spikes.worth, bias)


def best_range(activations: np.ndarray[Any, Any], levels: int) -> float:
    """The range A for which activations, clipped to A and rounded to N levels, are off least in the mean square.

    Example:
        >>> best_range(np.array([0.0, 1.0, 2.0, 4.0]), 4)
        4.0
    """
    top = float(activations.max(initial=0.0))
    if top <= 0:
        return 1.0
    values = activations.ravel()[:: max(1, activations.size // 200_000)]
    errors = []
    for clip in CLIPS * top:
        rounded = np.clip(np.floor(values / clip * levels + 0.5), 0, levels) * clip / levels
        errors.append(float(((rounded - values) ** 2).mean()))
    return float(CLIPS[int(np.argmin(errors))]) * top


def _same(channels: int, weight: float = 1.0) -> nn.Conv2d:
    """Maps as they are, times a weight."""
    conv = nn.Conv2d(channels, channels, 1, groups=channels, bias=False)
    nn.init.constant_(conv.weight, weight)
    return conv


def _like(linear: nn.Conv2d | nn.Linear, weight: Tensor, bias: Tensor) -> nn.Conv2d | nn.Linear:
    """A module of the same geometry with these parameters."""
    made = synapse(*sizes_of(linear))
    made.weight = nn.Parameter(weight.clone())
    made.bias = nn.Parameter(bias.clone())
    return made


def _free(name: str, net: nn.Module) -> str:
    return name if not hasattr(net, name) else next(n for n in _numbered(name) if not hasattr(net, n))


def _numbered(name: str) -> Iterator[str]:
    number = 1
    while True:
        yield f"{name}_{number}"
        number += 1
