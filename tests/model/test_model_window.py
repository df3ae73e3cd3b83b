"""The dilated-window networks of paper 004: layout, sizes, cells, what lowers and what runs as a float model."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
import torch_nets

import lava_mlsnn as ml
from lava_mlsnn import block, model, train
from lava_mlsnn.analysis.window_cost import _of_map, costs, table2
from lava_mlsnn.block.scan import CLIP
from lava_mlsnn.energy import horowitz

torch.set_num_threads(1)

SMALL = {"in_shape": (1, 8, 8), "input_scale": 1 / 16, "input_bits": 5, "num_classes": 3, "width": 4}


def small(name: str = "window_cnn12", **options: Any) -> model.Network:
    torch.manual_seed(0)
    return model.create(name, **{**SMALL, "stages": ("wFw", "wF"), **options})


def test_layout_of_the_papers_network() -> None:
    net = model.create("window_cnn12")
    windows = {name: m for name, m in net.named_modules() if isinstance(m, block.Window)}
    assert [m.synapse.out_channels for m in windows.values()] == [48, 48, 96, 96, 192, 192, 192, 384, 384]
    merges = [name for name in net.order if name.startswith("merge")]
    assert len(windows) + len(merges) == 12
    for name, following in zip(net.order, net.order[1:], strict=False):  # a full layer behind each dilated one
        if name in windows and windows[name].dilated:
            assert "full" in following
    assert [m.dilated for m in windows.values()] == [True, False, True, False, True, True, True, False, False]
    assert all(m.groups == 4 and m.fusion == "omega" and m.theta == 0.5 and m.region == 0.1 for m in windows.values())
    assert {float(m.neuron.threshold) for m in windows.values()} == {0.5}
    assert hasattr(net.stage1_full1, "add") and not hasattr(net.stage4_full1, "add")


def test_operations_of_table_2() -> None:
    """#OP of ResNET-12F within 1.1 % of the printed 247M; the first LSTM's multiplications are the printed 5.31M."""
    cnn = table2(model.twin(model.create("window_cnn12")), None)
    assert cnn.operations == pytest.approx(247e6, rel=0.011) and cnn.additions == cnn.macs
    assert cnn.energy * 1e3 == pytest.approx(1.35, rel=0.011)  # mJ, printed as J
    first = costs(model.create("window_lstm12"))[0]
    assert first.kind == "lstm" and round(first.operations / 1e6, 2) == 5.31
    printed = next(row for row in horowitz.table2() if row.network.startswith("SNN VIT-12-LSTM"))
    assert printed.macs == 5.31e6


def test_overlaps_are_computed_several_times() -> None:
    found = {cost.name: cost for cost in costs(small(mixing="channel"))}
    dilated, normal = found["stage1_window1"], found["stage1_window2"]
    assert dilated.operations == 9 * 1 * 4 * 64 and dilated.computed == dilated.operations * 9 / 4  # 4 (3/4)^2
    assert normal.computed == normal.operations == 9 * 4 * 4 * 64
    assert found["readout"].operations == 8 * 3


def test_operations_of_other_modules_are_refused() -> None:
    with pytest.raises(ValueError, match=r"costs of a Linear: expected a network of model\.create"):
        costs(torch.nn.Linear(3, 2))
    with pytest.raises(ValueError, match="operations of a ReLU: expected a Block"):
        _of_map(torch.nn.ReLU(), (1, 8, 8), (1, 8, 8))


@pytest.mark.parametrize(("cell", "gates"), [("lstm", 4), ("gru", 3), ("rnn", 1), ("birnn", 1), ("mlp", 0)])
def test_cells_of_table_6(cell: str, gates: int) -> None:
    net = small("window_lstm12", cell=cell, width=8)
    images = torch.randint(0, 17, (3, 1, 8, 8), dtype=torch.uint8)
    net(images).square().sum().backward()
    assert all(p.grad is not None for p in net.parameters())
    first = costs(net)[0]
    if gates:
        hidden, directions = (2, 4) if cell == "birnn" else (4, 2)
        assert first.operations == 64 * directions * gates * (1 + hidden) * hidden
    mixer = net.stage1_window1.mixer
    x = torch.rand(1, 1, 4, 4)
    changed = x.clone()
    changed[..., 0, 0] += 1
    reached = (mixer(changed) != mixer(x)).any(1)[0]
    expected = torch.zeros(4, 4, dtype=torch.bool)
    expected[0, 0] = True
    if cell != "mlp":  # along its row and its column
        expected[0, :] = expected[:, 0] = True
    assert torch.equal(reached, expected)


def test_membranes_of_the_layer_before_are_fused_where_shapes_agree() -> None:
    net = small(stages=("ww", "w"), groups=2, fusion="sum").eval()
    x = net.input(torch.rand(2, 1, 8, 8))
    first, membrane = net.stage1_window1(x, None)
    with_membrane, _ = net.stage1_window2(first, membrane)
    without, _ = net.stage1_window2(first, None)
    assert membrane.shape == (2, 4, 8, 8) and not torch.equal(with_membrane, without)
    merged = net.merge1(with_membrane)
    assert torch.equal(net.stage2_window1(merged, membrane)[0], net.stage2_window1(merged, None)[0])


@pytest.mark.parametrize("fusion", ["group", "none"])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("window_cnn12", {"levels": 1, "mixing": "channel"}),
        ("window_cnn12", {"levels": 4, "mixing": "patch"}),
        ("window_lstm12", {"levels": 1, "cell": "mlp", "messages": 15}),
        ("window_lstm12", {"levels": 4, "cell": "mlp", "messages": 255}),
        ("window_lstm12", {"levels": 1, "cell": "rnn", "messages": 15, "stages": ("wF", "w")}),
        ("window_lstm12", {"levels": 4, "cell": "birnn", "messages": 255, "stages": ("wF", "w"), "groups": 2}),
    ],
)
def test_networks_of_windows_export_spike_by_spike(name: str, options: Any, fusion: str, tmp_path: Any) -> None:
    net = small(name, fusion=fusion, **options)
    torch_nets.randomise(net, 3)
    images = torch.randint(0, 17, (4, 1, 8, 8), dtype=torch.uint8)
    graph = ml.netx.quantize(net.eval())
    ml.netx.save(graph, tmp_path / "w.net")
    run = ml.sim.run(ml.netx.load(tmp_path / "w.net"), images.numpy(), trace=True)
    spikes = block.trace(net, images)
    assert set(spikes) == {"input", *run.trace}
    assert all(np.array_equal(spikes[name].numpy(), trace) for name, trace in run.trace.items())
    assert block.activity(net, images) == run.activity
    lava = ml.proc.simulate(graph, images.numpy(), fused=True, trace=True)
    assert np.array_equal(lava.output, run.output) and lava.activity == run.activity
    for kind in ("lemaire", "horowitz"):
        assert ml.energy.estimate(graph, run.activity, model=kind).total > 0


def test_a_perceptron_in_windows_is_the_same_in_every_engine() -> None:
    net = small("window_lstm12", cell="mlp", messages=15, fusion="group", groups=2, stages=("w",))
    torch_nets.randomise(net, 3)
    images = torch.randint(0, 17, (2, 1, 8, 8), dtype=torch.uint8)
    spikes, graph = block.trace(net.eval(), images), ml.netx.quantize(net)
    runs = [ml.sim.run(graph, images.numpy(), trace=True, engine=engine) for engine in ("reference", "fast")]
    runs += [ml.proc.simulate(graph, images.numpy(), fused=fused, trace=True) for fused in (True, False)]
    assert spikes["stage1_window1_mlp"].any() and spikes["stage1_window1"].any()
    for run in runs:
        assert all(np.array_equal(spikes[name].numpy(), trace) for name, trace in run.trace.items())


class Rounded(torch.nn.Module):
    """A ReLU, clipped and rounded down to 15 steps."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x.clamp(0, CLIP) / CLIP * 15).floor() / 15 * CLIP


def test_messages_are_the_relu_of_the_perceptron_on_a_grid() -> None:
    """Its windows send what those of the mixer do whose ReLU is rounded down and clipped, and nothing else."""
    options = {"cell": "mlp", "width": 8, "stages": ("w",), "levels": 4, "fusion": "omega"}
    net, mixed = (small("window_lstm12", **options, **more).eval().double() for more in ({"messages": 15}, {}))
    torch_nets.randomise(net, 2)
    hidden, windows, mixer = net.stage1_window1_mlp, net.stage1_window1, mixed.stage1_window1.mixer
    hidden.synapse.weight.data *= 3
    weight, bias = next(iter(hidden.connections)).folded()
    mixed.stage1_window1.norm.load_state_dict(windows.norm.state_dict())
    mixer.site[1] = Rounded()
    with torch.no_grad():
        for linear, values in zip((mixer.site[0], mixer.site[2]), (weight, windows.synapse.weight / CLIP), strict=True):
            linear.weight.copy_(values.flatten(1))
        mixer.site[0].bias.copy_(bias)
        mixer.site[2].bias.zero_()
        x = net.input(torch.randint(0, 17, (5, 1, 8, 8), dtype=torch.uint8)).double()
        messages, (sent, left) = hidden(x), mixed.stage1_window1(x, None)
        assert len(messages.unique()) == 16
        found, membrane = windows(messages, None)
    assert torch.equal(found, sent) and torch.allclose(membrane, left, atol=1e-9)


@pytest.mark.parametrize("cell", ["rnn", "birnn"])
def test_messages_of_recurrent_mixers(cell: str) -> None:
    """They cost what the mixer with real numbers does; the ANN twin is that mixer."""
    net, mixed = (small("window_lstm12", cell=cell, stages=("ww",), messages=m) for m in (15, None))
    assert costs(net) == costs(mixed) and costs(net)[0].kind == cell
    twin = model.twin(net)
    assert isinstance(twin.stage1_window1, block.WindowMixer) and costs(twin) == costs(mixed)
    _, part = float_model()
    run = train.float_run(train.create("window_lstm12", part, width=4, stages=("w",), cell=cell, messages=15), part)
    assert set(run.neurons) == {"input", "stage1_window1", "readout"}


@pytest.mark.parametrize("options", [{"cell": "gru", "region": None}, {"cell": "birnn", "messages": 15}])
def test_saved_networks_come_back(options: Any, tmp_path: Any) -> None:
    net = small("window_lstm12", theta=0.3, **options).eval()
    model.save(net, tmp_path / "w.safetensors")
    images = torch.rand(2, 1, 8, 8)
    assert torch.equal(model.load(tmp_path / "w.safetensors")(images), net(images))


def test_median_spikes_stay_where_there_is_no_region_threshold() -> None:
    net = small(region=None, levels=1, stages=("wFw",), dilated=True).eval()
    torch_nets.randomise(net, 1)
    layer = block.Window(1, 4, neuron=net.make_neuron(), dilated=True, fusion="group", region=None)
    found = layer(torch.rand(8, 1, 8, 8, 1)).unique().tolist()
    assert set(found) <= {0, 0.25, 0.5, 0.75, 1} and len(found) > 2


def float_model() -> tuple[model.Network, Any]:
    digits = ml.data.load("digits")
    part = replace(digits, test_images=digits.test_images[:40], test_labels=digits.test_labels[:40])
    return train.create("window_cnn12", part, width=4, stages=("wF", "w"), levels=3), part


def test_float_model_counts_what_torch_sends() -> None:
    net, part = float_model()
    run = train.float_run(net, part)
    images = torch.from_numpy(part.test_images.copy())
    with torch.no_grad():
        x = net.eval().input(images)
        sent, _ = net.stage1_window1(x, None)
        assert np.array_equal(run.output.argmax(1), net(images).argmax(1).numpy())
    activity = run.activity
    assert activity.samples == 40 and activity.timesteps == 1
    assert activity.events["input"][0] == np.count_nonzero(part.test_images)
    assert activity.values["input"][0] == int(part.test_images.astype(int).sum())
    assert activity.events["stage1_window1"][0] == int((sent != 0).sum())
    assert activity.values["stage1_window1"][0] == int((sent * 3).round().sum())
    assert activity.sites["stage1_full1.full"][0, 0] == activity.events["stage1_window1"][0]
    assert run.neurons["stage1_window1"] == 4 * 64
    assert run.rate("stage1_window1") == pytest.approx(float((sent != 0).float().mean()))
    assert activity.events["readout"][0] == 0 and "readout" in activity.sites
    record = run.record(part)
    assert 0 <= record["accuracy"]["float"] <= 1 and record["activity"]["samples"] == 40
    assert record["spikes_per_image"] == pytest.approx(sum(activity.mean_events(n) for n in record["rates"]))
    assert type(activity).from_dict(record["activity"]) == activity


def test_spiking_counts_of_table_2_follow_the_rates() -> None:
    net, part = float_model()
    found = table2(net, train.float_run(net, part).activity)
    assert found.macs == 9 * 4 * 64  # the layer that reads the image
    assert 0 < found.rate < 1 and found.additions == pytest.approx(found.rate * (found.operations - found.macs))
    assert found.energy == pytest.approx(0.9e-12 * found.additions + 4.6e-12 * found.macs)
    assert train.accuracies(net, part).keys() == {"float"}


def test_a_network_without_integers_is_not_trained_with_integers() -> None:
    net, part = float_model()
    with pytest.raises(
        ValueError, match="quantized_epochs: expected 0 for this network, got 4: layer 'stage1_window1'"
    ):
        train.fit(net, part, train.recipe("digits"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"steps": 2}, "steps: expected 1, got 2: in a window network groups replace timesteps"),
        ({"stages": ("wFF",)}, "stages: expected w's, each with or without an F after it, such as wFw, got 'wFF'"),
        ({"stages": ()}, "stages: expected at least one"),
        ({"in_shape": (1, 6, 6)}, "stage1_window1: dilated windows of 4 groups on a map of 6 x 6"),
        ({"in_shape": (1, 4, 4), "stages": ("w",) * 4, "groups": 1}, "a map of 1 x 1 cannot be halved for stage 4"),
        ({"mixing": "all"}, "mixing: expected one of patch, channel, got 'all'"),
        ({"fusion": "cos"}, "fusion: expected one of omega"),
        ({"neuron": "atif"}, "neuron ATIF in a window network: expected multilevel or relu"),
    ],
)
def test_refusals(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        small(**options)


def test_refusals_of_mixers() -> None:
    with pytest.raises(ValueError, match="cell: expected one of lstm, gru, rnn, birnn, mlp, got 'cnn'"):
        small("window_lstm12", cell="cnn")
    with pytest.raises(ValueError, match="a birnn mixer of 6 channels: expected a multiple of 4"):
        small("window_lstm12", cell="birnn", width=6)
    with pytest.raises(ValueError, match="a birnn mixer of 6 channels: expected a multiple of 4"):
        small("window_lstm12", cell="birnn", width=6, messages=15)
    with pytest.raises(ValueError, match=r"messages of a gru mixer: expected none, as its gates multiply.*15"):
        small("window_lstm12", cell="gru", messages=15)
    with pytest.raises(ValueError, match=r"messages: expected an integer in 1 \.\. 32767, got 0"):
        small("window_lstm12", cell="mlp", messages=0)


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("lstm", "its gates multiply states"),
        ("gru", "its gates multiply states"),
        ("rnn", "the tanh of a sum, a real number"),
        ("birnn", "the tanh of a sum, a real number"),
        ("mlp", "the ReLU between its two layers sends real numbers"),
    ],
)
def test_a_mixer_says_what_it_needs_that_integers_have_not(cell: str, reason: str) -> None:
    words = f"layer 'stage1_window1': a Mixer2d in windows has no integer layer: .*{reason}.* train.float_run"
    with pytest.raises(ValueError, match=words) as error:
        ml.netx.quantize(small("window_lstm12", cell=cell, width=8))
    assert ("gates" in str(error.value)) == (cell in ("lstm", "gru"))


def test_float_model_refuses_what_sends_no_spikes() -> None:
    net, part = float_model()
    with pytest.raises(ValueError, match="layer 'stage1_window1': neuron ReLU sends no spikes"):
        train.float_run(model.twin(net), part)
