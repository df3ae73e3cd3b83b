"""Training for joules: what it counts is what the exported network costs, and targets are met."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from lava_mlsnn import block, data, energy, model, netx, sim, train
from lava_mlsnn.neuron import MultiLevel
from lava_mlsnn.train import Energy, Recipe
from lava_mlsnn.train.lightning_import import pl
from lava_mlsnn.train.penalty import Penalty, _Events

torch.set_num_threads(1)

SMALL: dict[str, Any] = {"width": 6, "blocks": (1, 1)}
NETWORKS: dict[str, tuple[str, dict[str, Any]]] = {
    "strided convolutions": ("cnn", {"width": 6}),
    "dense": ("mlp", {"hidden": (24, 16)}),
    "barriers": ("sparse_resnet18", SMALL),
    "sums in dendrites": ("sew_resnet18", SMALL),
    "two neurons' worth of steps": ("cnn", {"width": 6, "levels": 2, "steps": 3}),
    "binary": ("sparse_resnet18", {**SMALL, "levels": 1, "steps": 4}),
    "trained thresholds": ("sparse_resnet18", {**SMALL, "neuron": {"kind": "atif", "mode": "nonuniform"}}),
    "leaky": ("s_resnet20", {"width": 4, "blocks": (1, 1, 1), "levels": 1, "steps": 4, "residual": "s2s"}),
}


def share_of(net: torch.nn.Module, images: Any) -> float:
    """Share of the ANN's energy that the exported network costs in the engine."""
    graph = netx.quantize(net, weight_bits=8)
    found = energy.estimate(graph, sim.run(graph, images).activity, spread=False)
    return found.total / energy.ann(graph, spread=False).total


@pytest.mark.parametrize("name", NETWORKS)
def test_what_is_counted_is_the_energy_of_the_exported_network(name: str) -> None:
    architecture, options = NETWORKS[name]
    agree(train.create(architecture, data.load("digits"), **options))


def test_pools_of_spikes_are_counted_too() -> None:
    neurons = [MultiLevel(levels=4), MultiLevel(levels=4)]
    first, second = block.Conv(1, 6, 3, 1, 1, neuron=neurons[0]), block.Conv(6, 6, 3, neuron=neurons[1])
    input_, readout = block.Input((1, 8, 8), 1 / 16, 5, 2), block.Readout(24, 10)
    agree(torch.nn.Sequential(input_, first, block.Pool(2), second, readout))


def agree(net: torch.nn.Module) -> None:
    """What training counts in 40 images is what the engine counts."""
    images = torch.from_numpy(data.load("digits").test_images[:40].copy())
    net.train()(images)  # statistics of the batch norms, without which next to nothing fires
    penalty = Penalty(net, Recipe(energy=Energy(weight=1.0)))
    with torch.no_grad(), penalty.counting(), block.as_integers(net):
        net(images)
    assert float(penalty.share(40)) == pytest.approx(share_of(net, images.numpy()), rel=1e-5)


def test_floats_and_integers_are_counted_alike() -> None:
    """Float mode sends z/N and integer mode z: the same network, so nearly the same events."""
    digits = data.load("digits")
    net = train.create("sparse_resnet18", digits, **SMALL)
    images = torch.from_numpy(digits.test_images[:200].copy())
    for _ in range(30):
        net.train()(images)
    penalty = Penalty(net.eval(), Recipe(rate=1.0))
    with torch.no_grad(), penalty.counting():
        net(images)
    as_floats = float(penalty.share(200))
    assert as_floats == pytest.approx(share_of(net, images.numpy()), rel=0.03)


@pytest.mark.parametrize(("unit", "levels"), [(0.25, 4), (1.0, 4), (1.0, 1)])
def test_an_event_is_a_spike_that_is_not_zero_and_only_small_ones_have_a_gradient(unit: float, levels: int) -> None:
    sent = (torch.arange(levels + 1) * unit).repeat(2).requires_grad_()
    count = _Events.apply(sent, unit)
    (3 * count).backward()
    assert count.item() == 2 * levels
    wanted = torch.tensor([3 / unit if z <= 1 else 0.0 for z in range(levels + 1)]).repeat(2)
    assert sent.grad is not None and torch.equal(sent.grad, wanted)


def test_the_gradient_reaches_the_current_through_the_neurons_surrogate() -> None:
    """As that of min(z, 1) behind the same neuron."""
    x = torch.linspace(-0.5, 1.5, 41).reshape(1, -1, 1)
    grads = []
    for count in (lambda z: _Events.apply(z, 0.25), lambda z: (4 * z).clamp(max=1.25).minimum(4 * z * 0 + 1.25).sum()):
        current = x.clone().requires_grad_()
        count(MultiLevel(levels=4)(current)).backward()
        grads.append(current.grad)
    assert torch.equal(*grads) and float(grads[0].abs().max()) > 0.5


@pytest.fixture(scope="module")
def digits() -> data.Dataset:
    return data.load("digits")


@pytest.fixture(scope="module")
def aimed(digits: data.Dataset) -> tuple[train.Result, model.Network]:
    """A quarter of the images held out; target 0.3, the network alone costs about 0.55."""
    recipe = train.recipe("digits", epochs=6, quantized_epochs=2, energy=0.3, validation=0.25)
    net = train.create("cnn", digits, width=8)
    return train.fit(net, digits, recipe, progress=False), net


def test_the_target_is_met_and_the_network_still_learns(aimed: Any, digits: data.Dataset) -> None:
    result, net = aimed
    plain = train.create("cnn", digits, width=8)
    train.fit(plain, digits, train.recipe("digits", epochs=6, quantized_epochs=2), progress=False)
    without, share = share_of(plain, digits.test_images), share_of(net, digits.test_images)
    accuracy = [train.accuracies(n, digits)["quantized"] for n in (plain, net)]
    assert without > 0.45 and share <= 0.3 * 1.05, "the target does something, and is met on images never seen"
    assert accuracy[1] > accuracy[0] - 0.02
    assert result.history[0]["energy_weight"] > 0, "the weight was found"


def test_training_logs_what_the_exported_network_costs(aimed: Any, digits: data.Dataset) -> None:
    result, net = aimed
    part = digits.validation(0.25, 0)
    last = result.history[-1]
    assert last["val_energy_share"] == pytest.approx(share_of(net, part.test_images), rel=1e-5)
    assert last["energy_share"] == pytest.approx(share_of(net, part.train_images), rel=0.03)
    assert not any(m._forward_hooks for m in net.modules()), "nothing counts any longer"


def test_a_network_that_is_cheap_enough_is_trained_as_without_a_target(digits: data.Dataset) -> None:
    nets = []
    for target in (None, 0.95):
        net = train.create("cnn", digits, width=4)
        train.fit(net, digits, train.recipe("digits", epochs=1, quantized_epochs=1, energy=target), progress=False)
        nets.append(net.state_dict())
    assert all(torch.equal(value, nets[1][name]) for name, value in nets[0].items())


@pytest.mark.parametrize("changes", [{"energy": Energy(weight=1.0)}, {"rate": 1.0}])
def test_fixed_weights_save_energy(changes: dict[str, Any], digits: data.Dataset) -> None:
    shares = []
    for given in ({"energy": Energy(weight=1e-9)}, changes):
        net = train.create("cnn", digits, width=4, steps=2)
        recipe = train.recipe("digits", epochs=2, quantized_epochs=1, **given)
        shares.append(train.fit(net, digits, recipe, progress=False).history[-1]["energy_share"])
    assert shares[1] < 0.8 * shares[0]


class Cut(pl.Callback):
    """Ends a training before its third epoch."""

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.current_epoch == 2:
            raise RuntimeError("cut off")


def test_a_resumed_training_goes_on_with_the_multiplier(tmp_path: Path, digits: data.Dataset) -> None:
    recipe = train.recipe("digits", epochs=2, quantized_epochs=2, energy=0.3)

    def fit(**options: Any) -> train.Result:
        return train.fit(train.create("cnn", digits, width=4), digits, recipe, progress=False, **options)

    whole = fit()
    with pytest.raises(RuntimeError, match="cut off"):
        fit(out=tmp_path, callbacks=[Cut()])
    resumed = fit(out=tmp_path, resume=True)
    assert resumed.history == whole.history and whole.history[1]["energy_weight"] > 0
    wanted = whole.net.state_dict()
    assert all(torch.equal(value, wanted[name]) for name, value in resumed.net.state_dict().items())


def test_joules_and_shares_are_the_same_target(digits: data.Dataset) -> None:
    net = train.create("cnn", digits, width=4)
    ann = energy.ann(netx.quantize(net)).total
    assert Penalty(net, Recipe(energy=Energy(joules=0.4 * ann))).target == pytest.approx(0.4)
    for recipe in (Recipe(energy=0.3, rate=0.5), Recipe(energy=Energy(weight=2.0))):
        assert Recipe.from_dict(recipe.to_dict()) == recipe


@pytest.mark.parametrize(
    ("options", "wanted", "message"),
    [
        (
            {},
            {"energy": 0.01},
            r"energy: expected a target above 0\.\d+ of the ANN .* without a single event, got 0.01",
        ),
        ({"neuron": "relu"}, {"energy": 0.3}, "a ReLU .* sends no spikes"),
        ({}, {"energy": Energy(joules=1e-12)}, "energy: expected a target above"),
    ],
)
def test_what_no_training_reaches_is_refused(
    options: dict[str, Any], wanted: dict[str, Any], message: str, digits: data.Dataset
) -> None:
    net = train.create("cnn", digits, width=4, **options)
    with pytest.raises(ValueError, match=message):
        train.fit(net, digits, train.recipe("digits", quantized_epochs=0, **wanted), progress=False)


@pytest.mark.parametrize("several", ["Window", "PatchMix"])
def test_blocks_that_become_several_layers_are_refused(several: str, digits: data.Dataset) -> None:
    net: torch.nn.Module = train.create("window_cnn12", digits, width=4, stages=("wF",), fusion="group", groups=2)
    if several == "PatchMix":
        mix = block.PatchMix(1, (8, 8), neuron=MultiLevel(4))
        net = torch.nn.Sequential(block.Input((1, 8, 8), 1 / 16, 5), mix, block.Readout(64, 10))
    with pytest.raises(
        ValueError, match=rf"events of {several} are not counted in training: expected .* become one layer"
    ):
        Penalty(net, Recipe(energy=0.3))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"energy": -1}, "energy share: expected a finite number > 0, got -1"),
        ({"energy": "much"}, "energy share: expected a finite number > 0, got 'much'"),
        ({"rate": -0.1}, "rate: expected a finite number >= 0, got -0.1"),
    ],
)
def test_recipes_say_what_they_accept(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Recipe(**given)


@pytest.mark.parametrize("given", [{}, {"share": 0.3, "joules": 1e-6}])
def test_an_energy_is_one_of_three(given: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="energy: expected one of share, joules or weight, got"):
        Energy(**given)
