"""What a network may consist of, and what is said about one that has no integer counterpart."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from lava_mlsnn import block
from lava_mlsnn.neuron import Barrier, MultiLevel


def conv(inputs: int = 1, outputs: int = 2, levels: int = 4, **options: object) -> block.Conv:
    return block.Conv(inputs, outputs, 3, 1, 1, neuron=MultiLevel(levels), **options)


class Net(nn.Module):
    """Two convolutions and a readout; the test says what the forward does."""

    def __init__(self, forward: Callable[[Net, Tensor], Tensor], **parts: nn.Module) -> None:
        super().__init__()
        self.input = block.Input((1, 4, 4))
        self.one, self.two, self.next = conv(), conv(), conv(2)
        self.readout = block.Readout(32, 3)
        self.body = forward
        for name, part in parts.items():
            self.add_module(name, part)

    def forward(self, x: Tensor) -> Tensor:
        return self.readout(self.body(self, self.input(x)))


def steps(net: nn.Module) -> dict[str, tuple[str, ...]]:
    return {step.name: step.sources for step in block.plan(net)}


def test_sums_by_plus_and_by_add() -> None:
    plus = Net(lambda net, x: net.one(x) + net.two(x))
    assert steps(plus) == {
        "input": (), "one": ("input",), "two": ("input",), "add": ("one", "two"), "readout": ("add",)
    }  # fmt: skip
    add = Net(lambda net, x: net.sum(net.one(x), net.two(x)), sum=block.Add())
    assert steps(add)["readout"] == ("sum",)
    assert [s.output.bound for s in block.plan(add)][:4] == [255, 4, 4, 8]


def test_what_the_output_does_not_need_is_left_out() -> None:
    def forward(net: Net, x: Tensor) -> Tensor:
        net.two(x)
        return net.one(x)

    assert list(steps(Net(forward))) == ["input", "one", "readout"]


def test_dropout_and_identity_are_looked_through() -> None:
    net = Net(lambda net, x: net.drop(net.same(net.one(x))), drop=nn.Dropout(0.5), same=nn.Identity())
    assert steps(net)["readout"] == ("one",)


def test_nested_modules_give_their_path_as_name() -> None:
    net = Net(lambda net, x: net.stage(x), stage=nn.Sequential(nn.Sequential(conv()), conv(2)))
    assert list(steps(net)) == ["input", "stage.0.0", "stage.1", "readout"]


def test_pools_fold_into_readouts_only() -> None:
    def folded(pool: nn.Module, *rest: nn.Module) -> bool:
        net = nn.Sequential(block.Input((1, 4, 4)), conv(), pool, *rest)
        return block.plan(net)[2].folded

    average = block.Pool(2, mode="average")
    assert folded(average, block.Flatten(), block.Readout(8, 3)) and folded(average, block.Readout(8, 3))
    assert folded(block.Pool(2), block.Readout(8, 3)) and folded(block.Pool(None), block.Readout(2, 3))
    assert not folded(average, conv(2))
    assert not folded(average, block.Dense(8, 3, neuron=MultiLevel(4)))
    assert not folded(block.Pool(3), block.Readout(2, 3)), "sites outside every window"
    assert not folded(block.Pool(2, 1), block.Readout(18, 3)), "sites in several windows"
    assert not folded(block.Pool(2, padding=1), block.Readout(18, 3)), "sites outside the map"


def bad(message: str, forward: Callable[[Net, Tensor], Tensor], **parts: nn.Module) -> object:
    return pytest.param(Net(forward, **parts), message, id=message)


BAD = [
    bad("operation 'relu' .* has no integer layer", lambda net, x: torch.relu(net.one(x))),
    bad("operation 'mul' .* sums of their spikes", lambda net, x: net.one(x) * 2),
    bad("operation 'flatten' .call method.", lambda net, x: net.one(x).flatten(1, -2)),
    bad("layer 'odd': torch.nn.*MaxPool3d has no integer layer",
        lambda net, x: net.odd(net.one(x)), odd=nn.MaxPool3d(1)),
    bad("layer 'one' is called twice: expected one module per layer", lambda net, x: net.one(x) + net.one(x)),
    bad("layer 'pool': max pooling of values up to 4 has no integer layer.*'sum' or 'average'",
        lambda net, x: net.pool(net.one(x)), pool=block.Pool(1, mode="max")),
    bad("layer 'pool': pool kernel .5, 5. is larger than its input",
        lambda net, x: net.pool(net.one(x)), pool=block.Pool(5)),
    bad("layer 'twin': a ReLU .ANN twin. sends no spikes",
        lambda net, x: net.twin(x), twin=block.Conv(1, 2, 3, 1, 1, neuron=nn.ReLU())),
    bad("layer 'bare': a block without neuron passes on membrane potentials.*sew_, sparse_ and spiking_",
        lambda net, x: net.bare(x), bare=block.Conv(1, 2, 3, 1, 1)),
    bad("layer 'tanh': neuron Tanh: expected neuron.MultiLevel",
        lambda net, x: net.tanh(x), tanh=block.Conv(1, 2, 3, 1, 1, neuron=nn.Tanh())),
    bad("layer 'add': a sum of spikes with levels 4 and 3: expected equal levels",
        lambda net, x: net.one(x) + net.three(x), three=conv(levels=3)),
    bad("layer 'bar': a barrier of 3 levels after spikes of 4 levels",
        lambda net, x: net.bar(net.one(x), net.two(x)), bar=block.Add(Barrier(3))),
    bad("layer 'bar': a sum with neuron MultiLevel: expected neuron.Barrier or none",
        lambda net, x: net.bar(net.one(x), net.two(x)), bar=block.Add(MultiLevel(4))),
    bad("layer 'next': expected 2 input channels, got 1", lambda net, x: net.next(x)),
    bad("layer 'big': kernel .7, 7. is larger than its input of shape",
        lambda net, x: net.big(x), big=block.Conv(1, 2, 7, neuron=MultiLevel(4))),
    bad("layer 'readout': expected 32 input features, got .1, 4, 4., which are 16", lambda net, x: x),
    bad("layer 'merge': its connections give currents of different shapes",
        lambda net, x: net.merge(x, x), merge=block.Block([block.conv(1, 2, 3), block.conv(1, 2, 1)], MultiLevel(4))),
    bad("layer 'again': expected one block.Input, the first",
        lambda net, x: net.one(net.again(x)), again=block.Input((1, 4, 4))),
    bad("layer 'add': a sum of shapes", lambda net, x: net.one(x) + net.point(x),
        point=block.Conv(1, 2, 3, neuron=MultiLevel(4))),
]  # fmt: skip


@pytest.mark.parametrize(("net", "message"), BAD)
def test_errors_name_the_layer_and_say_why(net: nn.Module, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        block.quantized(net)
    assert all(getattr(module, "quantization", None) is None for module in net.modules()), "nothing is half switched"


def test_a_network_without_input_block() -> None:
    with pytest.raises(ValueError, match=r"layer '0' reads the network's input itself: expected block.Input as first"):
        block.quantized(nn.Sequential(conv(), block.Readout(32, 3)))
    with pytest.raises(ValueError, match="network Conv: expected a network that contains blocks"):
        block.quantized(conv())


def test_a_forward_that_depends_on_values() -> None:
    def forward(net: Net, x: Tensor) -> Tensor:
        return net.one(x) if x.sum() > 0 else net.two(x)

    with pytest.raises(ValueError, match="the forward of Net cannot be traced"):
        block.quantized(Net(forward))


def test_a_forward_that_returns_several() -> None:
    class Two(Net):
        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
            y = self.one(self.input(x))
            return y, self.readout(y)

    with pytest.raises(ValueError, match=r"the output reads .* expected the output of one block"):
        block.quantized(Two(lambda net, x: x))
