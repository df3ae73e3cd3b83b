"""Networks that :func:`lava_mlsnn.model.convert` made: a list of parts says of what they consist."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from torch import Tensor, nn

from ..block import Block, Connection, Flatten, Pool, Readout
from ..helpers.check import choice, integer, positive_ints
from ..helpers.shown import Grid, Shown
from .setting import Network, Setting

KINDS = ("neurons", "pool", "flatten", "readout")


@dataclass(frozen=True, repr=False)
class Conversion(Shown):
    """What a conversion did.

    Args:
        levels: N.
        before, after: share of the test images that the ReLU network, and the converted one, gets right.
        ranges: layer -> value of its largest spike, in units of the ReLU network.
        averaged: max pools in whose place averages stand.
    """

    levels: int
    before: float
    after: float
    ranges: dict[str, float]
    averaged: tuple[str, ...] = ()

    @property
    def loss(self) -> float:
        """Accuracy that the conversion cost, as a share."""
        return self.before - self.after

    def __repr__(self) -> str:
        pools = f", {len(self.averaged)} max pools became averages" if self.averaged else ""
        return f"Conversion(N = {self.levels}, accuracy {self.before:.2%} -> {self.after:.2%}{pools})"

    def grid(self) -> Grid:
        """A row per layer: the value of its largest spike."""
        return Grid(repr(self), ("layer", "largest spike"), list(self.ranges.items()))

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready keyword arguments."""
        return asdict(self)


class Converted(Network):
    """A multi-level network made from a ReLU network; trains, is saved, quantized and exported like any other.

    Args:
        setting: its neurons, and what it reads.
        parts: in the order of computation, each a mapping of ``name``, ``reads`` (names of parts before, or "input"),
            ``kind`` (neurons, pool, flatten or readout) and ``sizes``: per synapse of neurons [in, out] or
            [in, out, kernel, stride, padding, dilation, groups]; of a pool [kernel, stride], or [] for the whole map;
            of a readout [in, out].

    Raises:
        ValueError: a part that is none; names it.
    """

    def __init__(self, setting: Setting, parts: Iterable[Mapping[str, Any]] = ()) -> None:
        super().__init__(setting)
        self.reads: dict[str, tuple[str, ...]] = {}
        for part in parts:
            self.add(part)

    @property
    def conversion(self) -> Conversion:
        """What the conversion did, and what it cost; ValueError for a network that was trained further since."""
        if "conversion" not in self.notes:
            raise ValueError("conversion: expected a network of model.convert, this one was trained and saved since")
        told = self.notes["conversion"]
        return Conversion(**{**told, "averaged": tuple(told["averaged"])})

    def add(self, part: Mapping[str, Any]) -> nn.Module:
        """Add a part; its module."""
        try:
            name, reads = part["name"], tuple(part["reads"])
            kind, sizes = choice(part["kind"], "kind", KINDS), list(part["sizes"])
            if not isinstance(name, str) or not name.isidentifier() or hasattr(self, name):
                raise ValueError(f"its name is taken or none: {name!r}")
            if not reads or any(read != "input" and read not in self.reads for read in reads):
                raise ValueError(f"it reads {reads}: expected some of {', '.join(self.order)}")
            if len(reads) != (len(sizes) if kind == "neurons" else 1):
                raise ValueError(f"it reads {len(reads)} parts: expected one per synapse")
            module = self._module(kind, sizes)
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise ValueError(f"part {part!r} of a converted network: {error}") from None
        self.append(name, module)
        self.reads[name] = reads
        return module

    def _module(self, kind: str, sizes: list[Any]) -> nn.Module:
        if kind == "neurons":
            return Block([Connection(synapse(*size)) for size in sizes], self.setting.make_neuron())
        if kind == "pool":
            kernel, stride = map(_pair, sizes) if sizes else (None, None)
            return Pool(kernel, stride, mode="average")
        return Readout(*sizes) if kind == "readout" else Flatten()

    def forward(self, x: Tensor) -> Tensor:
        values = {"input": self.get_submodule("input")(x)}
        for name, reads in self.reads.items():
            values[name] = getattr(self, name)(*(values[read] for read in reads))
        return values[self.order[-1]]


def sizes_of(linear: nn.Conv2d | nn.Linear) -> list[Any]:
    """What :class:`Converted` makes a synapse of the same sizes from.

    >>> sizes_of(nn.Linear(3, 4)), sizes_of(nn.Conv2d(1, 2, 3))
    ([3, 4], [1, 2, [3, 3], [1, 1], [0, 0], [1, 1], 1])
    """
    if isinstance(linear, nn.Linear):
        return [linear.in_features, linear.out_features]
    if isinstance(linear.padding, str) or linear.padding_mode != "zeros":
        raise ValueError(f"padding {linear.padding!r}, {linear.padding_mode!r}: expected zeros, in numbers")
    pairs = (linear.kernel_size, linear.stride, linear.padding, linear.dilation)
    return [linear.in_channels, linear.out_channels, *map(list, pairs), linear.groups]


def synapse(inputs: int, outputs: int, *window: Any) -> nn.Conv2d | nn.Linear:
    """A synapse of these sizes."""
    inputs, outputs = integer(inputs, "inputs", 1), integer(outputs, "outputs", 1)
    if not window:
        return nn.Linear(inputs, outputs)
    kernel, stride, padding, dilation, groups = window
    rows, columns = positive_ints(padding, "padding", 2, 0)
    pairs: dict[str, Any] = {"stride": _pair(stride), "padding": (rows, columns), "dilation": _pair(dilation)}
    return nn.Conv2d(inputs, outputs, _pair(kernel), **pairs, groups=integer(groups, "groups", 1))


def _pair(value: Any) -> tuple[int, int]:
    rows, columns = positive_ints(value, "a pair of sizes", 2)
    return rows, columns
