"""NIR files for the importers of other libraries: only nodes that they take, and what makes them compute our spikes.

Common to all: sum pools, scales and groups are written as plain convolutions, matrices with zeros for what is not
connected; what differs between the neurons of a layer is added to their current, so that they share one threshold.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..graph.graph import Connection, Layer
from ..graph.neurons import LIF, Barrier, CubaLIF, MultiLevel, Readout, Relay
from ..graph.neurons.cuba_lif import NO_FLOOR
from ..graph.synapses import Conv, Pool
from ..helpers.check import Shape
from .map import Floats
from .write import Writer, floats, is_memoryless, size_of, thresholds_of

EXACT = 2**24
"""Integers up to here are exact in float32, which the libraries compute in."""


class LibraryWriter(Writer):
    """Base of writers for a library.

    Attributes:
        dt: seconds of a timestep of the library's importer.
        forgets: whether it has a neuron without memory.
        branches: whether what executes the imported graph runs nodes in an order in which all come after those that
            they read; nirtorch.load's executor goes along one branch to the end before it begins the next.
    """

    library: ClassVar[str]
    dt: ClassVar[float]
    forgets: ClassVar[bool] = True
    branches: ClassVar[bool] = True
    flatten_from = -3

    def run(self) -> Any:
        """The NIRGraph; names have no dots, which torch does not allow."""
        found = super().run()
        clean = {name: name.replace(".", "_") for name in found.nodes}
        if len(set(clean.values())) < len(clean):
            raise ValueError(f"{self.library}: layer names that differ in '.' and '_' only: {sorted(clean)}")
        nodes = {clean[name]: node for name, node in found.nodes.items()}
        edges = [(clean[a], clean[b]) for a, b in found.edges]
        if not self.branches and len({a for a, _ in edges}) < len(edges):
            fork = next(a for a, _ in edges if [b for b, _ in edges].count(a) > 1)
            raise ValueError(
                f"node {fork!r} is read by several, as of residual sums and of neurons with more than one level: "
                f"{self.library} executes imported chains only"
            )
        return self.nir.NIRGraph(nodes, edges, found.metadata, type_check=False)

    def ends(self, nodes: list[str]) -> list[str]:
        """One node: nirtorch sums what meets anywhere but at the output."""
        if len(nodes) == 1:
            return nodes
        last = self.graph.output
        shape = last.shape[:1] if self.is_flat(last.name) else last.shape
        return [self.add(f"{self.names[last.name]}_sum", self.scale(np.ones(shape, np.float32)), nodes)]

    def check(self, layer: Layer) -> None:
        super().check(layer)
        self.check_exact(layer)

    def check_exact(self, layer: Layer) -> None:
        """ValueError if float32 cannot hold the layer's numbers."""
        limits = self.limits[layer.name]
        largest = max(float(limits.membrane.magnitude.max()), *(float(a.magnitude.max()) for a in limits.accumulators))
        if largest > EXACT:
            raise ValueError(
                f"layer {layer.name!r}: numbers up to {largest:.0f}: {self.library} computes in float32, exact up to "
                f"{EXACT}"
            )

    def scale(self, factors: NDArray[Any]) -> Any:
        if factors.ndim == 1:
            return self.linear(floats(np.diag(factors)), None)
        return self.pointwise(factors[:, 0, 0], np.zeros(len(factors)), factors.shape[1:])

    def pointwise(self, factors: Floats, bias: Floats, size: tuple[int, ...]) -> Any:
        """A convolution that multiplies channels by a factor and adds a bias."""
        kernel = floats(np.diag(factors)[:, :, None, None])
        return self.nir.Conv2d(size, kernel, (1, 1), (0, 0), (1, 1), 1, floats(bias))

    def window(
        self, synapse: Conv | Pool, shape: Shape, layer: Layer, bias: Floats | None
    ) -> tuple[Any, Floats | None]:
        if isinstance(synapse, Pool):
            weight = np.ones((shape[0], 1, *synapse.kernel), np.int32)
            synapse = Conv(weight, synapse.stride, (0, 0), (1, 1), shape[0])
        if synapse.weight.shape[2] != synapse.weight.shape[3]:
            raise ValueError(
                f"layer {layer.name!r}: a kernel of {synapse.weight.shape[2:]}: nir infers wrong shapes for kernels "
                f"that are not square, which {self.library}'s importer relies on"
            )
        return super().window(_without_groups(synapse), shape, layer, bias)

    def population(self, layer: Layer, bias: Floats, drives: list[str]) -> list[str]:
        name, steps = self.names[layer.name], self.graph.timesteps
        if isinstance(layer.neuron, Readout):
            return drives
        if steps > 1 and is_memoryless(layer) and not self.forgets:
            raise ValueError(f"layer {layer.name!r}: {self.library}'s importer has no neuron without memory")
        high = self.limits[layer.name].membrane.high.reshape(-1, 1, 1)
        sent = []
        for level, threshold in enumerate(thresholds_of(layer, steps), 1):
            if level > 1 and np.all(threshold > high):
                break
            label = name if level == 1 else f"{name}_level{level}"
            value = np.broadcast_to(threshold - bias, layer.shape)
            common = float(np.asarray(threshold).flat[0])
            reads = self.shifted(layer, label, common - value, drives)
            size = size_of(layer.shape, self.is_flat(layer.name))
            sent.append(self.add(label, self.cell(common, size, steps == 1 or is_memoryless(layer)), reads))
        return sent

    def shifted(self, layer: Layer, label: str, by: Floats, drives: list[str]) -> list[str]:
        """The drives with ``by`` (C, H, W) added to their sum."""
        if not by.any():
            return drives
        if self.graph.timesteps > 1 and not is_memoryless(layer) and not isinstance(layer.neuron, MultiLevel | CubaLIF):
            raise ValueError(f"layer {layer.name!r}: no node holds the bias of its {layer.neuron.kind} neurons")
        if self.is_flat(layer.name):
            node = self.linear(np.eye(layer.shape[0], dtype=np.float32), by)
        elif np.all(by == by[:, :1, :1]):
            node = self.pointwise(np.ones(len(by)), by[:, 0, 0], layer.shape[1:])
        else:
            raise ValueError(
                f"layer {layer.name!r}: a bias that differs within a channel has no node in {self.library}"
            )
        return [self.add(f"{label}_shift", node, drives)]

    def cell(self, threshold: float, size: NDArray[Any], forgets: bool) -> Any:
        """A neuron node that fires above a threshold and is reset to zero."""
        raise NotImplementedError

    def full(self, value: float, size: NDArray[Any]) -> NDArray[Any]:
        """A parameter of a node."""
        return floats(np.full(size, value))


class SnnTorch(LibraryWriter):
    """LIF with beta = 1 - dt / tau: 0 for neurons without memory, and 1 in float64 for others."""

    library = "snnTorch"
    dt = 1e-4

    def cell(self, threshold: float, size: NDArray[Any], forgets: bool) -> Any:
        ratio = 1.0 if forgets else 2.0**60
        tau, zero = np.full(size, self.dt * ratio), np.zeros(size)
        return self.nir.LIF(tau, np.full(size, ratio), zero, np.full(size, threshold), zero)


class SpikingJelly(LibraryWriter):
    """IF with r = 1 / dt."""

    library = "SpikingJelly"
    dt = 1e-4
    forgets = False

    def cell(self, threshold: float, size: NDArray[Any], forgets: bool) -> Any:
        return self.nir.IF(np.full(size, 1 / self.dt), np.full(size, threshold), np.zeros(size))


class Norse(LibraryWriter):
    """IF with r = 1, or LIF with tau = dt for neurons without memory."""

    library = "norse"
    branches = False
    dt = 1e-3

    def cell(self, threshold: float, size: NDArray[Any], forgets: bool) -> Any:
        one, zero, theta = np.ones(size), np.zeros(size), np.full(size, threshold)
        if forgets and self.graph.timesteps > 1:
            return self.nir.LIF(one * self.dt, one, zero, theta, zero)
        return self.nir.IF(one, theta, zero)


class Sinabs(LibraryWriter):
    """IF, which sinabs makes neurons of that send floor(v / threshold) spikes and whose v is not below -threshold."""

    library = "sinabs"
    branches = False
    dt = 1.0

    def linear(self, weight: NDArray[Any], bias: Floats | None) -> Any:
        """Its importer takes no Linear."""
        return super().linear(weight, np.zeros(len(weight)) if bias is None else bias)

    def check(self, layer: Layer) -> None:
        neuron, what = layer.neuron, f"layer {layer.name!r}: {self.library}'s importer makes"
        for connection in layer.connections:
            self.check_connection(layer, connection)
        if isinstance(neuron, Readout | Relay):
            super().check(layer)
            return
        theta, levels, _ = self.parameters(layer)
        limits, steps = self.limits[layer.name], self.graph.timesteps
        self.check_exact(layer)
        high = limits.membrane.high
        if np.any(high >= (levels + 1.0) * theta):
            raise ValueError(
                f"{what} neurons without a limit of spikes per step: this layer can hold {np.max(high / theta):.1f} "
                f"thresholds, and has a limit of {levels}"
            )
        floor = neuron.floor if isinstance(neuron, CubaLIF) else np.asarray(NO_FLOOR)
        if steps > 1 and np.any(floor != -theta) and np.any(limits.membrane.low < -theta):
            raise ValueError(f"{what} neurons that are never below -threshold: this layer can be")

    def check_connection(self, layer: Layer, connection: Connection) -> None:
        """ValueError for a synapse without a node."""
        if layer.name in connection.sources or connection.synapse.kind == "delay_dense":
            raise ValueError(f"layer {layer.name!r}: {self.library}'s importer takes no recurrence and no delays")

    def parameters(self, layer: Layer) -> tuple[Floats, int, int]:
        """Thresholds (C,), most spikes, and units of a threshold per unit of current."""
        neuron, what = layer.neuron, f"layer {layer.name!r}: a {layer.neuron.kind} neuron"
        channels = (layer.shape[0],)
        if isinstance(neuron, MultiLevel | Barrier):
            theta = np.broadcast_to(getattr(neuron, "threshold", 1), channels)
            return theta.astype(np.float64), neuron.levels, 1
        if isinstance(neuron, LIF) and self.graph.timesteps == 1 and neuron.bias_exp == 6:
            return np.full(channels, neuron.vth + 1.0), 1, 1
        if isinstance(neuron, CubaLIF):
            plain = CubaLIF(neuron.threshold, gain=neuron.gain, levels=neuron.levels, floor=neuron.floor)
            if neuron == plain:
                return np.broadcast_to(neuron.threshold, channels).astype(np.float64), neuron.levels, neuron.gain
        raise ValueError(f"{what} has no counterpart in what {self.library}'s importer makes")

    def population(self, layer: Layer, bias: Floats, drives: list[str]) -> list[str]:
        if isinstance(layer.neuron, Readout):
            return drives
        theta, _, gain = self.parameters(layer)
        name, size = self.names[layer.name], size_of(layer.shape, self.is_flat(layer.name))
        reads = self.shifted(layer, name, np.broadcast_to(bias, layer.shape), drives)
        value = floats(np.broadcast_to(theta.reshape(-1, 1, 1) / gain, layer.shape).reshape(size))
        return [self.add(name, self.nir.IF(np.ones(size), value, np.zeros(size)), reads)]


LIBRARIES: dict[str, type[LibraryWriter]] = {
    "snntorch": SnnTorch,
    "spikingjelly": SpikingJelly,
    "sinabs": Sinabs,
    "norse": Norse,
}
"""By dialect. Rockpool's importer has leaky neurons only, whose leaks are no integers."""


def _without_groups(conv: Conv) -> Conv:
    """The same convolution with a weight, zero or not, for every pair of channels."""
    if conv.groups == 1:
        return conv
    out, each = conv.weight.shape[:2]
    weight = np.zeros((out, each * conv.groups, *conv.weight.shape[2:]), np.int32)
    for group in range(conv.groups):
        rows = slice(group * out // conv.groups, (group + 1) * out // conv.groups)
        weight[rows, group * each : (group + 1) * each] = conv.weight[rows]
    return Conv(weight, conv.stride, conv.padding, conv.dilation)
