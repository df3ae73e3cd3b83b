"""torch.compile: a neuron is one operator of the graph, which computes what eager mode does, in the same bits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from lava_mlsnn import model
from lava_mlsnn.neuron import ATIF, Barrier, MultiLevel, functional

if not hasattr(torch.library, "custom_op"):
    pytest.skip("torch before 2.4: neurons break the graph", allow_module_level=True)

NEURONS = {
    "table": lambda: MultiLevel(4),
    "in place": lambda: MultiLevel(4, inplace=True),
    "detached": lambda: MultiLevel(2, threshold=0.7, grad="detached"),
    "barrier": lambda: Barrier(3),
    "barrier with surrogate": lambda: Barrier(4, grad="attached"),
}
BREAK = {
    "trained": lambda: MultiLevel(4, trainable=True),
    "atif": lambda: ATIF("uniform", steps=3, levels=4),
    "without a table": lambda: MultiLevel(4, alpha=20.0),
}


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def step(function: object, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    leaf = x.clone(memory_format=torch.preserve_format).requires_grad_()
    z = function(leaf)
    z.backward(torch.arange(z.numel()).remainder(7).view(z.shape).to(z.dtype))
    assert leaf.grad is not None
    return z.detach(), leaf.grad


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor:UserWarning")  # torch's, after a break
@pytest.mark.parametrize("name", [*NEURONS, *BREAK])
@pytest.mark.parametrize("shape", [(4, 8, 13, 11, 1), (4, 3, 8, 13, 11)], ids=["T=1", "T=3"])
def test_a_compiled_neuron_computes_the_same(name: str, shape: tuple[int, ...]) -> None:
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    x = x if shape[-1] == 1 else x.movedim(1, -1)
    neuron = {**NEURONS, **BREAK}[name]()
    for one in (x, x[:, :2]) if name in NEURONS else (x,):  # the second leaves gaps
        eager = step(lambda x, n=neuron: n(x * 1) * 2, one)
        compiled = torch.compile(lambda x, n=neuron: n(x * 1) * 2, fullgraph=name in NEURONS, backend="aot_eager")
        for a, b in zip(eager, step(compiled, one), strict=True):
            assert torch.equal(a, b)


@pytest.mark.parametrize("differentiable", [True, False])
def test_states_pass_through_the_operator(differentiable: bool) -> None:
    x = torch.randn(4, 3, 8, 13, 11, generator=torch.Generator().manual_seed(0)).movedim(1, -1)
    v = torch.randn(4, 8, 13, 11, generator=torch.Generator().manual_seed(1))

    def spikes(x: torch.Tensor, v: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return functional.multilevel(x * 1, v, 0.7, 4)

    found = []
    for function in (spikes, torch.compile(spikes, fullgraph=True, backend="aot_eager")):
        leaves = [t.clone(memory_format=torch.preserve_format).requires_grad_(differentiable) for t in (x, v)]
        z, last = function(*leaves)
        grads = torch.autograd.grad((z * x).sum() + (last * v).sum(), leaves) if differentiable else ()
        found.append([z.detach(), last.detach(), *grads])
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))


@pytest.mark.parametrize("name", ["vgg16", "sparse_resnet18"])
def test_a_network_is_one_graph(name: str) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = model.create(name, in_shape=(3, 32, 32), width=4, levels=4, steps=2)
        x = torch.rand(3, 3, 32, 32)
    state = {key: value.clone() for key, value in net.state_dict().items()}
    found = []
    for function in (net, torch.compile(net, fullgraph=True, backend="aot_eager")):
        net.load_state_dict(state)
        net.zero_grad()
        y = function(x)
        y.square().sum().backward()
        found.append([y.detach(), *(p.grad for p in net.parameters() if p.grad is not None)])
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-3)
