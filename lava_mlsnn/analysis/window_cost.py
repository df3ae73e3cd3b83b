"""Operations and energy of networks whose float model is run: [Yao2023]'s counting, layer by layer.

A NetGraph has :func:`lava_mlsnn.energy.estimate`; this is for what does not lower (projection functions, gates), and
for the paper's Table 2, whose counts are of whole maps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ..block import Block, PatchMix, ScanWindow, WindowMixer
from ..block.windowed import Windowed
from ..energy import horowitz
from ..model import Network
from ..model.window_rnn import Mixer2d

if TYPE_CHECKING:
    from ..graph.activity import Activity

_GATES = {"lstm": 4, "gru": 3, "rnn": 1, "birnn": 1}


@dataclass(frozen=True)
class Cost:
    """Operations of one layer.

    Args:
        name: the module's name.
        kind: "conv", "dense" or the cell of a mixer.
        operations: #OP of [Yao2023], Eq 14, of the whole map, each site once.
        computed: the same, with sites under several windows counted as often as they are computed.
        inputs: number of its input sites.
    """

    name: str
    kind: str
    operations: int
    computed: int
    inputs: int


def costs(net: Network) -> list[Cost]:
    """Operations of each layer with weights, in the order of computation; the first one reads the image.

    Example:
        >>> from lava_mlsnn import model
        >>> net = model.create("window_cnn12", in_shape=(1, 8, 8), width=4, stages=("wFw",), groups=2)
        >>> [(cost.name, cost.operations) for cost in costs(net)][:2]
        [('stage1_window1', 2304), ('stage1_full1', 16384)]

    Raises:
        ValueError: no network of :func:`lava_mlsnn.model.create`, or a layer without a count.
    """
    if not isinstance(net, Network):
        raise ValueError(f"costs of a {type(net).__name__}: expected a network of model.create")
    found: list[Cost] = []
    hooks = [m.register_forward_hook(_counter(name, found)) for name, m in net.named_modules() if _counts(m)]
    training = net.training
    try:
        with torch.no_grad():
            net.eval()(torch.zeros(net.example_shape))
    finally:
        net.train(training)
        for hook in hooks:
            hook.remove()
    return found


def _counts(module: nn.Module) -> bool:
    return isinstance(module, (Block, WindowMixer))


def _counter(name: str, found: list[Cost]) -> Any:
    def count(module: nn.Module, inputs: tuple[Tensor, ...], output: Any) -> None:
        shape = tuple(int(n) for n in inputs[0].shape[1:-1])
        sent = output[0] if isinstance(output, tuple) else output
        out = tuple(int(n) for n in sent.shape[1:-1]) if sent.ndim > 2 else (int(sent.shape[1]),)
        for kind, operations, computed in _operations(module, shape, out):
            found.append(Cost(name, kind, operations, computed, int(torch.Size(shape).numel())))

    return count


def _operations(module: nn.Module, shape: tuple[int, ...], out: tuple[int, ...]) -> Iterator[tuple[str, int, int]]:
    """Kind, operations of the map, operations with overlaps."""
    if isinstance(module, PatchMix):
        sites = shape[1] * shape[2]
        yield "dense", shape[0] * horowitz.operations("dense", sites, sites), shape[0] * sites * sites
        return
    kind, per_map = _of_map(module, shape, out)
    overlap = float(module.windows(shape).cover.mean()) if isinstance(module, Windowed) else 1.0
    yield kind, per_map, round(per_map * overlap)


def _of_map(module: nn.Module, shape: tuple[int, ...], out: tuple[int, ...]) -> tuple[str, int]:
    if isinstance(module, WindowMixer):
        return _mixer(module.mixer, shape)
    if isinstance(module, ScanWindow):
        cells = list(module.cells)
        return _recurrent("birnn" if len(cells) == 4 else "rnn", shape, cells[0].hidden)
    if not isinstance(module, Block):
        raise ValueError(f"operations of a {type(module).__name__}: expected a Block or a WindowMixer")
    synapse = module.synapse
    if isinstance(synapse, nn.Conv2d):
        return "conv", horowitz.operations("conv", shape, out, synapse.kernel_size, synapse.groups)
    if isinstance(synapse, nn.Linear):
        return "dense", horowitz.operations("dense", synapse.in_features, synapse.out_features)
    return "identity", 0


def _mixer(mixer: nn.Module, shape: tuple[int, ...]) -> tuple[str, int]:
    if not isinstance(mixer, Mixer2d):
        raise ValueError(f"operations of a {type(mixer).__name__}: expected a Mixer2d")
    sites, channels = shape[1] * shape[2], mixer.channels
    if mixer.cell == "mlp":
        per_site = horowitz.operations("dense", channels, mixer.out) + horowitz.operations(
            "dense", mixer.out, mixer.out
        )
        return "mlp", sites * per_site
    return _recurrent(mixer.cell, shape, mixer.hidden)


def _recurrent(cell: str, shape: tuple[int, ...], hidden: int) -> tuple[str, int]:
    lstm = horowitz.operations("lstm", shape[0], hidden)  # four gates
    directions = 4 if cell == "birnn" else 2
    return cell, shape[1] * shape[2] * directions * (lstm // 4) * _GATES[cell]


@dataclass(frozen=True)
class Table2:
    """Counts and energy of one network by the rule of [Yao2023], Table 2.

    Args:
        additions, macs: the columns #Add and #Mult.
        operations: #OP of the ANN of the same shapes.
        rate: mean share of input sites that carry an event, weighted by operations (s of section 4.2).
    """

    additions: float
    macs: float
    operations: float
    rate: float

    @property
    def energy(self) -> float:
        """Joules by the table's rule, 0.9 pJ per addition and 4.6 pJ per multiply-accumulate."""
        return horowitz.energy(self.additions, self.macs)


def table2(net: Network, activity: Activity | None) -> Table2:
    """Counts of one inference, as [Yao2023] makes them: each map's sites once, binary additions.

    An ANN (``activity`` None) is charged its additions beside its multiply-accumulates, as the table does. In a spiking
    network the layer that reads the image multiplies; every other one adds at the rate of its input.

    Raises:
        KeyError: an activity of another network.

    Source:
        [Yao2023], section 4.2, Eq 13 and 14.
    """
    found = costs(net)
    operations = sum(cost.operations for cost in found)
    if activity is None:
        return Table2(operations, operations, operations, 1.0)
    first, *rest = found
    samples = max(activity.samples, 1)
    rates = {cost.name: float(activity.sites[cost.name].sum()) / samples / cost.inputs for cost in rest}
    additions = sum(rates[cost.name] * cost.operations for cost in rest)
    weights = sum(cost.operations for cost in rest)
    return Table2(additions, float(first.operations), operations, additions / weights if weights else 0.0)
