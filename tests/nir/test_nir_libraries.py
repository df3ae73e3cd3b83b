"""NIR files that other libraries wrote: their networks, as our integers, give their answers.

snnTorch and SpikingJelly build, run and export the networks here.
"""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
nir = pytest.importorskip("nir")
pytest.importorskip("nirtorch")

from torch import nn  # noqa: E402

from lava_mlsnn import sim  # noqa: E402
from lava_mlsnn.netx import LIF, Dense, MultiLevel, from_nir  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:nirtorch.extract_nir_graph is being deprecated:DeprecationWarning")


@pytest.fixture(scope="module")
def images():
    """Digits, 8 x 8 pixels of 0 .. 16."""
    from sklearn.datasets import load_digits

    data = load_digits()
    return data.images[:, None].astype(np.int64), data.target


def integer_weights(net, seed, bound=7):
    """Integer weights and half-integer biases: no sum hits an integer threshold."""
    generator = torch.Generator().manual_seed(seed)
    for module in net.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            shape = module.weight.shape
            module.weight.data = torch.randint(-bound, bound + 1, shape, generator=generator).float()
            if module.bias is not None:
                module.bias.data = torch.randint(-9, 10, module.bias.shape, generator=generator).float()
    return net


# ---------------------------------------------------------------------------------------------------------- snnTorch


def leaky(shape, beta, threshold, output=False):
    import snntorch as snn

    return snn.Leaky(
        beta=torch.full(shape, beta),
        threshold=torch.full(shape, threshold),
        init_hidden=True,
        output=output,
        reset_mechanism="zero",
        reset_delay=False,
    )


def snntorch_net(beta=0.5, thresholds=(30.5, 30.5)):
    return nn.Sequential(
        nn.Conv2d(1, 6, 3, padding=1),
        leaky((6, 8, 8), beta, thresholds[0]),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(96, 40),
        leaky((40,), beta, thresholds[1], output=True),
    )


def snntorch_spikes(net, x, steps):
    """Sum of output spikes over T steps, from zero state."""
    from snntorch import utils

    utils.reset(net)
    with torch.no_grad():
        return sum(net(x)[0] for _ in range(steps)).numpy()


def export_snntorch(net, x, path):
    from snntorch.export_nir import export_to_nir

    nir.write(path, export_to_nir(net, x[:1], ignore_dims=[0]))


@pytest.mark.parametrize("seed", range(3))
def test_snntorch_with_integer_weights_is_exact(seed, images, tmp_path):
    pytest.importorskip("snntorch")
    x = images[0][:200]
    net, tensor = integer_weights(snntorch_net(thresholds=(80.5, 20.25)), seed), torch.tensor(x).float()
    net[4].weight.data *= 4  # behind the average of 2 x 2
    export_snntorch(net, tensor, tmp_path / "x.nir")
    graph = from_nir(tmp_path / "x.nir", x[:50], timesteps=1, input_scale=1.0, input_bits=5)
    run = sim.run(graph, x)
    want = snntorch_spikes(net, tensor, 1)
    assert 0.05 < want.mean() < 0.95
    np.testing.assert_array_equal(run.output, want)
    assert graph["2"].neuron.kind == "relay"  # the average: a sum, whose 1 / 4 is in the next scale
    assert isinstance(graph["1"].neuron, MultiLevel)


@pytest.mark.parametrize("seed", range(3))
def test_snntorch_leaky_neurons_are_exact_where_their_numbers_are(seed, images, tmp_path):
    """Integer weights, and a leak of one half over 6 steps, which the 6 binary places of Lava's membranes hold."""
    pytest.importorskip("snntorch")
    x = images[0][:200]
    net, tensor = integer_weights(snntorch_net(0.5, (80.0, 20.0)), seed), torch.tensor(x).float()
    net[4].weight.data *= 4  # behind the average of 2 x 2
    export_snntorch(net, tensor, tmp_path / "x.nir")
    graph = from_nir(tmp_path / "x.nir", x[:50], timesteps=6, input_scale=1.0, input_bits=5)
    want = snntorch_spikes(net, tensor, 6)
    assert len(np.unique(want)) > 3
    np.testing.assert_array_equal(sim.run(graph, x).output, want)


@pytest.mark.parametrize(("beta", "agree"), [(0.5, 0.93), (0.9, 0.95)])
def test_snntorch_leaky_neurons_over_steps(beta, agree, images, tmp_path):
    """Real, random weights in 8 bits: of all neurons' spike counts over T = 6 steps, so many are equal."""
    pytest.importorskip("snntorch")
    torch.manual_seed(1)
    x = images[0][:200]
    net, tensor = snntorch_net(beta, (0.5, 0.2)), torch.tensor(x / 16).float()
    export_snntorch(net, tensor, tmp_path / "x.nir")
    graph = from_nir(tmp_path / "x.nir", x[:50], timesteps=6, input_scale=1 / 16, input_bits=5)
    want = snntorch_spikes(net, tensor, 6)
    assert 0.05 < (want > 0).mean() < 0.95
    assert (sim.run(graph, x).output == want).mean() >= agree
    assert graph["1"].neuron.dv == round(4096 * (1 - beta))


def test_snntorch_synaptic_is_a_current_based_lif(images, tmp_path):
    snn = pytest.importorskip("snntorch")
    torch.manual_seed(2)
    ones = torch.ones(20)
    cell = snn.Synaptic(
        alpha=0.7 * ones, beta=0.8 * ones, threshold=ones, init_hidden=True, output=True, reset_mechanism="zero"
    )
    cell.reset_delay = False
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 20), cell)
    x = images[0][:100]
    tensor = torch.tensor(x / 16).float()
    export_snntorch(net, tensor, tmp_path / "x.nir")
    with pytest.warns(UserWarning, match="NIR node '2': weights lost 1 of their bits.*registers of a lif"):
        graph = from_nir(tmp_path / "x.nir", x, timesteps=4, input_scale=1 / 16, input_bits=5)
    assert graph.output.neuron == LIF(graph.output.neuron.vth, du=round(4096 * 0.3) - 1, dv=round(4096 * 0.2))
    weight = net[1].weight.detach().double().numpy()
    current = (x / 16).reshape(100, -1) @ weight.T + net[1].bias.detach().double().numpy()
    assert (sim.run(graph, x).output == curved(current, 0.7, 0.8, 4)).mean() > 0.9


def curved(current, alpha, beta, steps):
    """Spike counts of the equations in snnTorch's documentation, with a reset to zero in the step of the spike."""
    i = v = np.zeros_like(current)
    count = np.zeros_like(current)
    for _ in range(steps):
        i = alpha * i + current
        v = beta * v + i
        count += v > 1
        v = np.where(v > 1, 0, v)
    return count


# ------------------------------------------------------------------------------------------------------ SpikingJelly


def spikingjelly_net(threshold, lif=False):
    from spikingjelly.activation_based import layer, neuron

    node = (lambda: neuron.LIFNode(tau=2.0, v_threshold=threshold)) if lif else (lambda: neuron.IFNode(threshold))
    return nn.Sequential(
        layer.Conv2d(1, 6, 3, stride=2, padding=1, bias=not lif),
        node(),
        layer.Conv2d(6, 12, 3, padding=1),
        node(),
        layer.AvgPool2d(2, 2),
        layer.Flatten(),
        layer.Linear(48, 10),
    )


def spikingjelly_output(net, x, steps):
    """Mean of the last layer's current over T steps, and nothing left in the neurons."""
    from spikingjelly.activation_based import functional

    functional.reset_net(net)
    with torch.no_grad():
        out = sum(net(x) for _ in range(steps)) / steps
    functional.reset_net(net)
    return out.numpy()


def train(net, x, y, steps, epochs=6):
    from spikingjelly.activation_based import functional

    torch.manual_seed(0)
    optimizer = torch.optim.Adam(net.parameters(), 1e-2)
    for _ in range(epochs):
        for batch in torch.randperm(len(x)).split(64):
            functional.reset_net(net)
            loss = nn.functional.cross_entropy(sum(net(x[batch]) for _ in range(steps)), y[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    functional.reset_net(net)


@pytest.mark.parametrize("steps", [1, 3])
def test_spikingjelly_with_integer_weights_is_exact(steps, images, tmp_path):
    pytest.importorskip("spikingjelly")
    from spikingjelly.activation_based.nir_exchange import export_to_nir

    x = images[0][:200]
    net, tensor = integer_weights(spikingjelly_net(15.5), steps), torch.tensor(x).float()
    export_to_nir(net, tensor[:2], save_path=tmp_path / "x.nir")
    graph = from_nir(tmp_path / "x.nir", x[:50], timesteps=steps, input_scale=1.0, input_bits=5)
    run = sim.run(graph, x)
    logits = run.output * graph.output.neuron.scale / steps
    np.testing.assert_allclose(logits, spikingjelly_output(net, tensor, steps), rtol=1e-5, atol=1e-4)
    assert isinstance(graph.output.synapse, Dense)
    assert run.activity.events["_3"].sum() > 0


@pytest.mark.parametrize(("lif", "steps", "agree"), [(False, 1, 0.95), (False, 4, 0.95), (True, 4, 0.95)])
def test_a_trained_spikingjelly_network_keeps_its_labels(lif, steps, agree, images, tmp_path):
    """Real weights, rounded to 8 bits: of 597 test digits, so many keep their label (measured 0.970, 0.988, 0.985).

    The rest have two logits close together: with 16 bits instead of 8, all labels of the IF networks
    are the library's, and with 12 bits all but one of the LIF network.
    """
    pytest.importorskip("spikingjelly")
    from spikingjelly.activation_based.nir_exchange import export_to_nir

    x, y = images
    torch.manual_seed(0)
    net, tensor = spikingjelly_net(0.5, lif), torch.tensor(x / 16).float()
    train(net, tensor[:1200], torch.tensor(y[:1200]), steps)
    export_to_nir(net, tensor[:2], save_path=tmp_path / "x.nir")
    graph = from_nir(tmp_path / "x.nir", x[:100], timesteps=steps, input_scale=1 / 16, input_bits=5)
    want = spikingjelly_output(net, tensor[1200:], steps).argmax(axis=1)
    labels = sim.run(graph, x[1200:]).labels
    assert (want == y[1200:]).mean() > 0.7
    assert (labels == want).mean() >= agree
    assert abs((labels == y[1200:]).mean() - (want == y[1200:]).mean()) < 0.02
