"""S-ResNet: the paper's parameter counts, its variants, early stop, Poisson spikes, fine-tuning, files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import lava_mlsnn as ml
from lava_mlsnn import block, model
from lava_mlsnn.model.s_resnet import fine_tuned

torch.set_num_threads(1)
SMALL = {"in_shape": (1, 8, 8), "width": 4, "blocks": (1, 1, 1), "levels": 1, "steps": 3, "input_scale": 1 / 16}
SMALL["input_bits"] = 5


def images(count: int = 6, channels: int = 1) -> torch.Tensor:
    return torch.randint(0, 17, (count, 1, 8, 8), generator=torch.Generator().manual_seed(1)).expand(-1, channels, 8, 8)


def warmed(**options: object) -> nn.Module:
    torch.manual_seed(0)
    net = model.create("s_resnet20", **{**SMALL, **options})
    for _ in range(8):
        net(images(24, net.in_shape[0]))
    return net.eval()


@pytest.mark.parametrize(
    ("classes", "width", "boost", "count"),
    [
        (100, 16, False, 639_760),
        (100, 16, True, 697_360),
        (100, 32, False, 2_399_776),
        (100, 32, True, 2_514_976),
        (10, 16, False, 634_000),
        (10, 16, True, 639_760),
        (10, 32, False, 2_388_256),
        (10, 32, True, 2_399_776),
    ],
)
def test_parameters_of_tables_6_and_7(classes: int, width: int, boost: bool, count: int) -> None:
    net = model.create(
        "s_resnet38", in_shape=(3, 32, 32), num_classes=classes, width=width, boost=boost, levels=1, steps=50
    )
    assert sum(p.numel() for p in net.parameters()) == count


@pytest.mark.parametrize(("name", "convs"), [("s_resnet20", 19), ("s_resnet38", 37), ("s_resnet44", 43)])
def test_depths(name: str, convs: int) -> None:
    net = model.create(name, in_shape=(3, 32, 32), levels=1, steps=1, width=2)
    kernels = [m.kernel_size for m in net.modules() if isinstance(m, nn.Conv2d)]
    assert kernels.count((3, 3)) == convs and kernels.count((1, 1)) == 2


@pytest.mark.parametrize("residual", ["s2s", "s2m", "v2v"])
def test_exports_and_the_engine_computes_what_torch_does(residual: str) -> None:
    net = warmed(residual=residual, boost=True, plif="shared", norm_bias=True)
    graph = ml.netx.quantize(net)
    run = ml.sim.run(graph, images().numpy(), trace=True)
    mine = block.trace(net, images())
    assert all(np.array_equal(mine[name].numpy(), spikes) for name, spikes in run.trace.items())
    assert ml.netx.problems(graph) == []
    messages = [layer.name for layer in graph if layer.neuron.kind == "rescale"]
    shortcuts = [name for name in messages if "shortcut" in name]
    assert len(shortcuts) == 2
    assert len(messages) == {"s2s": 2, "s2m": 2 + 3, "v2v": 2 + 3 + 1}[residual], "what each form sends beside spikes"


def test_s2m_passes_a_spike_on_only_where_the_threshold_itself_fires() -> None:
    """Section 3.2.1: with nothing else in the membrane, a residual spike of weight Vth comes out again."""
    spikes = (torch.rand(2, 4, 5, 5, 3, generator=torch.Generator().manual_seed(0)) < 0.3).float()[..., :1]
    for strict in (True, False):
        net = warmed(residual="s2m", strict=strict)
        part = net.body[0]
        nn.init.zeros_(part.conv2.synapse.weight)
        part.conv2.connections[0].norm.running_mean.zero_()
        out = part(spikes)
        assert torch.equal(out, torch.zeros_like(out) if strict else spikes)


@pytest.mark.parametrize("residual", ["s2s", "s2m", "v2v"])
def test_neurons_that_fire_at_the_threshold_export_exactly(residual: str, tmp_path: Path) -> None:
    net = warmed(residual=residual, strict=False)
    graph = ml.netx.quantize(net)
    leaky = [layer.neuron for layer in graph if layer.neuron.kind == "soft_lif"]
    assert leaky and not any(neuron.strict for neuron in leaky)
    mine = block.trace(net, images())
    runs = [ml.sim.run(graph, images().numpy(), trace=True, engine=engine) for engine in ("fast", "reference")]
    ml.netx.save(graph, tmp_path / "x.net")
    assert ml.netx.load(tmp_path / "x.net") == graph
    for run in (*runs, ml.proc.simulate(graph, images().numpy(), fused=True, trace=True, timeout=60)):
        assert all(np.array_equal(mine[name].numpy(), spikes) for name, spikes in run.trace.items())


@pytest.mark.parametrize("strict", [1, 0])
def test_integer_neurons_at_the_threshold(strict: int) -> None:
    """A current of theta exactly, in every engine."""
    neuron = ml.netx.SoftLIF([[1]], [0], [[0]], threshold=5, strict=strict)
    layer = ml.netx.Layer("x", (ml.netx.Connection("input", ml.netx.Conv([[[[1]]]])),), (1, 1, 1), neuron)
    end = ml.netx.Layer("end", (ml.netx.Connection("x", ml.netx.Dense([[1]])),), (1, 1, 1), ml.netx.Readout())
    graph = ml.netx.NetGraph(ml.netx.Input((1, 1, 1)), (layer, end), 1)
    for engine in ("fast", "reference"):
        run = ml.sim.run(graph, np.array([[[[4]]], [[[5]]], [[[6]]]]), trace=True, engine=engine)
        assert run.trace["x"].ravel().tolist() == [0, 1 - strict, 1]


def test_the_scale_of_the_surrogate_is_an_option() -> None:
    slopes = []
    for alpha in (None, 0.3, 1.0):
        net = warmed(alpha=alpha)
        net(images()).square().sum().backward()
        slopes.append(net.body[2].conv2.synapse.weight.grad.norm())
    assert slopes[0] == slopes[1] and slopes[2] > 2 * slopes[0]


def test_matched_votes_start_and_step_like_one_neuron_per_class() -> None:
    """Over many seeds: logits of the same size, and the same change of a logit by one step of gradient descent."""
    sizes: dict[str, list[float]] = {}
    forms = {"plain": {}, "votes": {"boost": True}, "matched": {"boost": True, "boost_matched": True}}
    x = torch.rand(5, 16, 1, generator=torch.Generator().manual_seed(2))
    for seed in range(30):
        for name, options in forms.items():
            torch.manual_seed(seed)
            readout = model.create("s_resnet20", **{**SMALL, **options}).readout
            before = readout(x)
            before[:, 3].sum().backward()
            with torch.no_grad():
                readout.synapse.weight -= 0.1 * readout.synapse.weight.grad
            sizes.setdefault(f"{name} start", []).append(before.detach().std().item())
            sizes.setdefault(f"{name} step", []).append((readout(x) - before)[:, 3].detach().abs().mean().item())
    mean = {name: float(np.mean(values)) for name, values in sizes.items()}
    assert mean["matched start"] == pytest.approx(mean["plain start"], rel=0.1)
    assert mean["matched step"] == pytest.approx(mean["plain step"], rel=1e-4)
    assert mean["votes start"] < mean["plain start"] / 4 and mean["votes step"] == pytest.approx(
        mean["plain step"] / 10
    )
    with pytest.raises(ValueError, match="boost_matched: expected False without boost"):
        model.create("s_resnet20", **{**SMALL, "boost_matched": True})


def test_matched_votes_export() -> None:
    net = warmed(boost=True, boost_matched=True)
    graph = ml.netx.quantize(net)
    labels = ml.sim.run(graph, images().numpy()).output
    with block.as_integers(net):
        logits = net(images()).detach()
    assert np.array_equal(labels.argmax(1), logits.argmax(1).numpy())
    scale = np.polyfit(labels.ravel(), logits.numpy().ravel(), 1)[0]
    np.testing.assert_allclose(labels * scale, logits.numpy(), rtol=1e-4, atol=1e-6)
    assert 0.5 < float(logits.std() / net(images()).detach().std()) < 2, "the factor of 3.2 is lost in the integers"


def test_poisson_evaluation_is_seeded() -> None:
    digits = ml.data.load("digits")
    net = ml.train.create("s_resnet20", digits, width=2, blocks=(1, 1, 1), levels=1, steps=2, encoding="poisson")
    first = ml.train.predict(net, digits)
    torch.rand(3)
    assert np.array_equal(first, ml.train.predict(net, digits))
    assert not np.array_equal(first, ml.train.predict(net, digits, seed=1))


def test_spikes_of_s2s_are_graded_behind_a_shortcut_only() -> None:
    graph = ml.netx.quantize(warmed())
    sizes = {layer.name: getattr(layer.neuron, "amplitude", None) for layer in graph}
    assert sizes["body.0.conv2"] == sizes["body.1.conv1"] == 1 and sizes["body.1.conv2"] == sizes["body.2.conv2"] == 16


def test_early_stop_uses_the_first_norms() -> None:
    net = warmed(residual="s2s")
    whole = net(images())
    movie = images()[..., None].expand(-1, -1, -1, -1, 2)
    early = net(movie)
    assert early.shape == whole.shape and not torch.equal(early, whole)
    short = model.create("s_resnet20", **{**SMALL, "steps": 2})
    state = net.state_dict()
    short.load_state_dict({k: v[:2] if ".norm." in k else v for k, v in state.items()})
    torch.testing.assert_close(short.eval()(images()), early)
    graph = ml.netx.shorten(ml.netx.quantize(net), 2)
    run = ml.sim.run(graph, images().numpy(), trace=True)
    mine = block.trace(net, movie)
    assert all(np.array_equal(mine[name].numpy(), spikes) for name, spikes in run.trace.items())
    with pytest.raises(ValueError, match=r"timesteps: expected an integer in 1 \.\. 2"):
        ml.netx.shorten(graph, 3)
    with pytest.raises(ValueError, match=r"T of 1 \.\. 3"):
        net(images()[..., None].expand(-1, -1, -1, -1, 4))


def test_poisson_spikes_have_the_pixels_rate_and_export_as_spikes() -> None:
    net = model.create("s_resnet20", **{**SMALL, "steps": 400, "encoding": "poisson"})
    torch.manual_seed(0)
    spikes = net.input.draw(torch.full((4, 1, 8, 8), 4, dtype=torch.uint8))
    assert spikes.unique().tolist() == [0, 1] and abs(float(spikes.float().mean()) - 0.25) < 0.01
    net = warmed(encoding="poisson")
    spikes = net.input.draw(images())
    graph = ml.netx.quantize(net)
    run = ml.sim.run(graph, spikes.numpy(), trace=True)
    mine = block.trace(net, spikes)
    assert graph.input.bits == 1
    assert all(np.array_equal(mine[name].numpy(), found) for name, found in run.trace.items())


def test_event_data_stems() -> None:
    for rows, stem in ((64, (3, 2)), (128, (5, 2))):
        sizes = {"in_shape": (2, rows, rows), "width": 2, "blocks": (1, 1), "levels": 1, "steps": 2}
        net = model.create("s_resnet20", **sizes)
        first = net.stem.synapse
        assert (first.kernel_size[0], first.stride[0]) == stem
        assert net(torch.zeros(1, 2, rows, rows, 2)).shape == (1, 10)
    events = np.random.default_rng(0).integers(0, 2, (1, 2, 128, 128, 2))
    assert (
        ml.sim.run(ml.netx.quantize(net.eval()), events, trace=True).difference(
            ml.sim.run(ml.netx.quantize(net), events, trace=True, engine="reference")
        )
        == ""
    )
    with pytest.raises(ValueError, match="layer 'maxpool': max pooling of signed values has no integer layer"):
        ml.netx.quantize(model.create("s_resnet20", **sizes, residual="v2v").eval())


def test_the_twin_is_a_plain_resnet() -> None:
    net = model.twin(model.create("s_resnet20", **SMALL))
    assert not any(isinstance(m, block.BNTT) for m in net.modules())
    assert net(images()).shape == (6, 10)


def test_fine_tuning_keeps_what_does_not_fit() -> None:
    old, new = warmed(num_classes=20), model.create("s_resnet20", **SMALL)
    before = new.readout.synapse.weight.clone()
    names = fine_tuned(new, old.state_dict())
    assert names["kept"] == ["readout.connections.0.synapse.weight"] and not names["adapted"]
    assert torch.equal(new.body[0].conv1.synapse.weight, old.body[0].conv1.synapse.weight)
    assert torch.equal(new.readout.synapse.weight, before)
    with pytest.raises(ValueError, match="another architecture"):
        fine_tuned(new, warmed(width=3).state_dict())


def test_fine_tuning_takes_the_classes_that_both_know() -> None:
    old, new = warmed(boost=True), model.create("s_resnet20", **{**SMALL, "num_classes": 3}, boost=True)
    mine, theirs = new.readout.synapse.weight.detach().clone(), old.readout.synapse.weight
    names = fine_tuned(new, old.state_dict(), labels=("7", "x", "0"), known=tuple("0123456789"))
    assert names["adapted"] == ["readout.connections.0.synapse.weight"]
    for row, wanted in enumerate((theirs[70:80], mine[10:20], theirs[:10])):
        assert torch.equal(new.readout.synapse.weight[10 * row : 10 * row + 10], wanted)
    as_many = model.create("s_resnet20", **SMALL)
    names = fine_tuned(as_many, warmed().state_dict(), labels=tuple("abcdefghij"), known=tuple("0123456789"))
    assert names["kept"] == ["readout.connections.0.synapse.weight"], "other classes, though as many"


def test_fine_tuning_spreads_the_first_convolution_over_other_channels() -> None:
    old, new = warmed(in_shape=(3, 8, 8)), model.create("s_resnet20", **{**SMALL, "in_shape": (2, 8, 8)}).eval()
    names = fine_tuned(new, old.state_dict())
    assert names["adapted"] == ["stem.connections.0.synapse.weight"] and not names["kept"]
    torch.testing.assert_close(new(images(6, 2)), old(images(6, 3)))


def test_a_shared_leak_survives_the_file(tmp_path: object) -> None:
    net = warmed(plif="shared")
    assert len(set(net.leaks.values())) == 1
    model.save(net, f"{tmp_path}/x.safetensors")
    loaded = model.load(f"{tmp_path}/x.safetensors")
    assert torch.equal(loaded(images()), net(images()))
    assert sum(p.numel() for p in loaded.parameters()) == sum(p.numel() for p in net.parameters())


@pytest.mark.parametrize(
    ("option", "what"),
    [
        ({"residual": "s2x"}, "residual: expected one of s2s, s2m, v2v"),
        ({"levels": 4}, "levels: expected 1, as the neurons of an S-ResNet are binary, got 4"),
        ({"norm": "layer"}, "norm: expected one of bntt"),
        ({"plif": "yes"}, "plif: expected"),
        ({"encoding": "rate"}, "encoding: expected one of direct, poisson"),
        ({"leak": 2}, "leak: expected a finite number >= 0 and <= 1, got 2"),
    ],
)
def test_refused(option: dict[str, object], what: str) -> None:
    with pytest.raises(ValueError, match=what):
        model.create("s_resnet20", **{**SMALL, **option})
