"""Architectures by name: shapes, sizes, forms, options."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch_nets
from torch import nn

import lava_mlsnn as ml
from lava_mlsnn import block, model
from lava_mlsnn.block.norm import BNTT
from lava_mlsnn.neuron import ATIF, Barrier, MultiLevel, SoftLIF

torch.set_num_threads(1)

SMALL = {
    "mlp": {"hidden": (9, 7)},
    "cnn": {"width": 3, "depth": 2},
    "vgg16": {"width": 3, "blocks": (1, 2), "hidden": (9,)},
    "mobilenet_v2": {"width": 4, "blocks": (1, 2, 2), "expansion": 2},
    "sparse_mobilenet_v2": {"width": 4, "blocks": (1, 2, 2), "expansion": 2},
    "window_cnn12": {"width": 4, "stages": ("wFw", "wF")},
    "window_lstm12": {"width": 4, "stages": ("wFw", "wF")},
}
RESNET = {"width": 3, "blocks": (1, 2)}
FORMS = ("spiking", "sew", "ms", "sparse")


def small(name: str, **options: object) -> model.Network:
    torch.manual_seed(0)
    shape = {"in_shape": (1, 8, 8), "input_scale": 1 / 16, "input_bits": 5, "num_classes": 4}
    binary = {"levels": 1} if name.startswith("s_resnet") else {}
    return model.create(name, **{**shape, **SMALL.get(name, RESNET), **options, **binary})


def shapes(net: model.Network) -> dict[str, torch.Size]:
    """Of all that is stored, but for the norms per timestep of S-ResNets: their twins have one."""
    per_step = {name for name, module in net.named_modules() if isinstance(module, BNTT | nn.BatchNorm2d)}
    skip = per_step if "SResNet" in type(net).__name__ else set()
    return {k: v.shape for k, v in net.state_dict().items() if k.rpartition(".")[0] not in skip}


@pytest.mark.parametrize("name", model.names())
def test_every_model_trains_and_has_a_twin(name: str) -> None:
    steps = 1 if name.startswith("window_") else 2
    net = small(name, steps=steps, levels=3)
    images = torch.randint(0, 17, (4, 1, 8, 8), dtype=torch.uint8)
    logits = net(images)
    assert logits.shape == (4, 4)
    logits.square().sum().backward()
    assert all(p.grad is not None for p in net.parameters())
    assert torch.equal(net.eval()(images), net(images[..., None].repeat(1, 1, 1, 1, steps) / 16))
    assert net.in_shape == (1, 8, 8) and net.example_shape == (1, 1, 8, 8, steps)
    assert net(torch.zeros(net.example_shape)).shape == (1, 4)

    twin = model.twin(net)
    assert shapes(twin) == shapes(net)
    assert not any(isinstance(m, MultiLevel | Barrier | SoftLIF) for m in twin.modules())
    assert twin(images).shape == (4, 4)


@pytest.mark.parametrize("name", [name for name in model.names() if not name.startswith(("ms_", "window_"))])
def test_every_event_based_model_exports_spike_by_spike(name: str) -> None:
    net = small(name, steps=2, levels=3)
    images = torch.randint(0, 17, (5, 1, 8, 8), dtype=torch.uint8)
    if name.startswith("s_resnet"):  # leaky neurons are silent behind norms that do not know their input
        for _ in range(8):
            net(torch.randint(0, 17, (24, 1, 8, 8), dtype=torch.uint8))
    else:
        torch_nets.randomise(net, 1)
    graph = ml.netx.quantize(net.eval(), labels=tuple("abcd"))
    assert graph.labels == ("a", "b", "c", "d") and graph.timesteps == 2 and graph.input.scale == 1 / 16
    run = ml.sim.run(graph, images.numpy(), trace=True, engine="reference")
    spikes = block.trace(net, images)
    assert set(spikes) == {"input", *run.trace}
    for layer, trace in run.trace.items():
        assert np.array_equal(spikes[layer].numpy(), trace), layer
    assert block.activity(net, images) == run.activity
    assert all(run.activity.mean_events(layer.name) > 0 for layer in graph.layers[:-1])


def test_names() -> None:
    resnets = [f"{form}_resnet{depth}" for depth in (18, 34) for form in FORMS]
    windows = ["window_cnn12", "window_lstm12"]
    deep = [f"s_resnet{depth}" for depth in (20, 38, 44)]
    assert model.names() == ["mlp", "cnn", "vgg16", *resnets, "mobilenet_v2", "sparse_mobilenet_v2", *deep, *windows]


def parameters(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


@pytest.mark.parametrize("form", FORMS)
def test_resnet_sizes_are_those_of_the_literature(form: str) -> None:
    """ResNet18 and 34 with the CIFAR stem, 10 and 100 classes: convolutions, norms, 1x1 shortcuts, fc with bias."""
    assert parameters(model.create(f"{form}_resnet18")) == 11_173_962
    if form == "sparse":
        assert parameters(model.create("sparse_resnet18", num_classes=100)) == 11_220_132
        assert parameters(model.create("sparse_resnet34")) == 21_282_122


def test_vgg16_size() -> None:
    """13 convolutions without bias, norms, and 512-512-10 with bias (reference, section 3)."""
    convs = sum(a * b * 9 for a, b in ((3, 64), (64, 64), (64, 128), (128, 128), (128, 256)))
    convs += 9 * (2 * 256 * 256 + 256 * 512 + 5 * 512 * 512)
    norms = 2 * (2 * 64 + 2 * 128 + 3 * 256 + 6 * 512)
    dense = 2 * (512 * 512 + 512) + 5130
    assert parameters(model.create("vgg16")) == convs + norms + dense


@pytest.mark.parametrize("name", ["mobilenet_v2", "sparse_mobilenet_v2"])
def test_mobilenet_is_that_of_the_literature(name: str) -> None:
    """3,504,872 parameters for 1000 classes; maps of 4x4 at the end for CIFAR and for events of 128x128."""
    assert parameters(model.create(name, in_shape=(3, 224, 224), num_classes=1000, width=32)) == 3_504_872
    for shape in ((3, 32, 32), (2, 128, 128)):
        steps = {
            step.name: step.output.shape for step in block.plan(model.create(name, in_shape=shape, width=4).eval())
        }
        assert steps["head"] == (160, 4, 4) and steps["stage7.0.project"] == (40, 4, 4)
        assert [step for step in steps if step.endswith("add")] == [
            *("stage2.1.add", "stage3.1.add", "stage3.2.add", "stage4.1.add", "stage4.2.add", "stage4.3.add"),
            *("stage5.1.add", "stage5.2.add", "stage6.1.add", "stage6.2.add"),
        ]


def test_mobilenet_convolves_each_channel_by_itself_and_has_barriers_where_asked() -> None:
    for name, barriers in (("mobilenet_v2", 0), ("sparse_mobilenet_v2", 2)):
        graph = ml.netx.quantize(small(name).eval())
        assert [layer.neuron.kind for layer in graph].count("barrier") == barriers
        depthwise = graph["stage2.0.depthwise"]
        assert depthwise.connections[0].synapse.groups == depthwise.shape[0] == 2 * 2
        assert "stage1.0.expand" not in {layer.name for layer in graph}
        assert graph["stage2.1.project"].connections[0].sources == ("stage2.1.depthwise",)


def test_layer_names_are_readable() -> None:
    graph = ml.netx.quantize(small("sparse_resnet18").eval())
    assert [layer.name for layer in graph] == [
        "stem",
        *("stage1.0.conv1", "stage1.0.conv2", "stage1.0.add"),
        *("stage2.0.conv1", "stage2.0.conv2", "stage2.0.shortcut", "stage2.0.add"),
        *("stage2.1.conv1", "stage2.1.conv2", "stage2.1.add"),
        "readout",
    ]
    assert [layer.neuron.kind for layer in graph].count("barrier") == 3
    assert graph["stage1.0.add"].connections[0].sources == ("stage1.0.conv2", "stem")
    assert graph["stage2.0.add"].connections[0].sources == ("stage2.0.conv2", "stage2.0.shortcut")


def test_sew_sums_are_connections_with_several_sources() -> None:
    graph = ml.netx.quantize(small("sew_resnet18", blocks=(2, 2)).eval())
    assert not any(layer.neuron.kind == "barrier" for layer in graph)
    assert graph["stage1.1.conv1"].connections[0].sources == ("stage1.0.conv2", "stem")
    assert graph["stage2.0.conv1"].connections[0].sources == ("stage1.1.conv2", "stage1.0.conv2", "stem")
    assert graph["readout"].connections[0].sources == ("stage2.1.conv2", "stage2.0.conv2", "stage2.0.shortcut")


def test_spiking_form_has_two_connections_into_one_neuron() -> None:
    graph = ml.netx.quantize(small("spiking_resnet18").eval())
    first, second = graph["stage1.0.conv2"].connections
    assert (first.synapse.kind, first.sources) == ("conv", ("stage1.0.conv1",))
    assert (second.synapse.kind, second.sources) == ("identity", ("stem",))
    assert np.all(second.synapse.weight == graph["stage1.0.conv2"].neuron.threshold), "a residual spike is one"
    assert [c.synapse.kind for c in graph["stage2.0.conv2"].connections] == ["conv", "conv"]


def test_stems() -> None:
    net = model.create("sew_resnet18", in_shape=(2, 128, 128), width=2, blocks=(1,)).eval()
    assert [step.output.shape for step in block.plan(net)][1:3] == [(2, 64, 64), (2, 32, 32)]
    assert net.stem.conv1.synapse.kernel_size == (7, 7)
    forced = model.create("sew_resnet18", in_shape=(2, 128, 128), width=2, blocks=(1,), stem="cifar").eval()
    assert block.plan(forced)[1].output.shape == (2, 128, 128)
    assert block.plan(small("sew_resnet18").eval())[1].output.shape == (3, 8, 8)
    vgg = model.create("vgg16", in_shape=(2, 128, 128), width=2).eval()
    assert vgg.dense1.synapse.in_features == 16 * 4 * 4


@pytest.mark.parametrize("downsample", ["stride", "sumpool"])
def test_vgg_downsampling(downsample: str) -> None:
    net = small("vgg16", downsample=downsample).eval()
    graph = ml.netx.quantize(net)
    assert graph["dense1"].synapse.weight.shape == (9, 6 * 2 * 2)
    kinds = [layer.neuron.kind for layer in graph]
    assert kinds.count("relay") == (2 if downsample == "sumpool" else 0)


def test_maxpool_exports_where_spikes_are_binary_and_says_so_elsewhere() -> None:
    net = small("vgg16", downsample="maxpool")
    net(torch.rand(2, 1, 8, 8)).sum().backward()
    with pytest.raises(ValueError, match=r"layer 'stage1.pool': max pooling of values up to 4 has no integer layer"):
        ml.netx.quantize(net)
    net = small("vgg16", downsample="maxpool", levels=1, steps=2).eval()
    torch_nets.randomise(net, 0)
    images = torch.randint(0, 17, (3, 1, 8, 8))
    with block.as_integers(net), torch.no_grad():
        labels = net(images).argmax(1)
    run = ml.sim.run(ml.netx.quantize(net), images.numpy(), trace=True)
    assert np.array_equal(run.labels, labels) and set(np.unique(run.trace["stage1.pool"])) == {0, 1}


def test_ms_form_and_twin_say_why_they_do_not_export() -> None:
    with pytest.raises(ValueError, match="layer 'stem': a block without neuron passes on membrane potentials"):
        ml.netx.quantize(small("ms_resnet18"))
    with pytest.raises(ValueError, match=r"layer 'conv1': a ReLU .ANN twin. sends no spikes"):
        ml.netx.quantize(small("cnn", neuron="relu"))


def test_neuron_options() -> None:
    net = small("sparse_resnet18", neuron={"grad": "ste", "trainable": True, "threshold": 0.8}, barrier_grad="attached")
    assert net.stem.neuron.grad == "ste" and net.stem.neuron.vth.requires_grad and net.stem.neuron.levels == 4
    assert net.stage1[0].add.neuron.grad == "attached"
    assert net.stem.neuron is not net.stage1[0].conv1.neuron


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("resnet18", {}, "model: expected one of mlp, cnn, vgg16, spiking_resnet18, .*, got 'resnet18'"),
        ("cnn", {"widht": 8}, "option of cnn: expected one of in_shape, num_classes, .*, width, depth, got 'widht'"),
        ("mlp", {"width": 8}, "option of mlp: expected one of .*hidden, got 'width'"),
        ("sew_resnet18", {"form": "ms"}, "option of sew_resnet18: .*, got 'form'"),
        ("cnn", {"in_shape": (8, 8)}, "in_shape: expected 3 integers >= 1"),
        ("cnn", {"num_classes": 0}, "num_classes: expected an integer >= 1, got 0"),
        ("cnn", {"levels": 0}, "levels: expected an integer >= 1, got 0"),
        ("cnn", {"steps": 1.5}, "steps: expected an integer >= 1, got 1.5"),
        ("cnn", {"width": 0}, "width: expected an integer >= 1, got 0"),
        ("cnn", {"neuron": "gelu"}, "neuron: expected multilevel, atif, relu or a mapping of arguments, got 'gelu'"),
        (
            "cnn",
            {"neuron": {"slope": 1}},
            "argument of neuron MultiLevel: expected one of threshold, alpha, grad, .*, got 'slope'",
        ),
        ("vgg16", {"downsample": "avg"}, "downsample: expected one of stride, sumpool, maxpool, got 'avg'"),
        ("mobilenet_v2", {"form": "sparse"}, "option of mobilenet_v2: .*, got 'form'"),
        ("mobilenet_v2", {"blocks": (1,) * 8}, "blocks: expected 1 to 7 stages, got 8"),
        ("mobilenet_v2", {"stem": "imagenet"}, "stem: expected one of cifar, dvs, got 'imagenet'"),
        ("sew_resnet18", {"stem": "imagenet"}, "stem: expected one of cifar, dvs, got 'imagenet'"),
        ("sparse_resnet18", {"barrier_grad": "hat"}, "hat"),
    ],
)
def test_create_checks_its_arguments(name: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        model.create(name, **{"in_shape": (1, 8, 8), **options})


def test_arguments_lists_what_create_takes() -> None:
    known = model.arguments("sparse_resnet34")
    assert known["blocks"] == (3, 4, 6, 3) and known["width"] == 64 and known["levels"] == 4 and "form" not in known
    net = model.create("sparse_resnet34", **{**known, "width": 2})
    assert len(net.stage3) == 6


@pytest.mark.parametrize("name", ["vgg16", "sparse_resnet18"])
def test_neurons_of_paper_003(name: str) -> None:
    """ATIF in every architecture: levels and steps come from the setting, the rest from the mapping."""
    neuron = {"kind": "atif", "mode": "nonuniform", "schedule": "printed"}
    net = model.create(name, in_shape=(1, 8, 8), width=4, blocks=(1, 1), levels=1, steps=4, neuron=neuron)
    found = [m for m in net.modules() if isinstance(m, ATIF)]
    assert found and all((m.mode, m.steps, m.levels, m.schedule) == ("nonuniform", 4, 1, "printed") for m in found)
    net(torch.rand(2, 1, 8, 8)).sum().backward()
    assert all(bool((m.free.grad != 0).any()) for m in found)
    with pytest.raises(ValueError, match="neuron kind: expected one of multilevel, atif, got 'lstm'"):
        model.create(name, neuron={"kind": "lstm"})
