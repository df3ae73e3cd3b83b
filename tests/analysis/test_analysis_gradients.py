from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from lava_mlsnn import data, model, train
from lava_mlsnn.analysis import gradient_norms
from lava_mlsnn.neuron import Barrier

DIGITS = data.load("digits")
IMAGES, LABELS = DIGITS.train_images[:20], DIGITS.train_labels[:20]


def net(name: str, **options):
    return train.create(name, DIGITS, **{"levels": 4, "width": 4, "blocks": (2, 1), "seed": 3, **options})


def test_equation_8_sew_passes_on_what_it_gets():
    """dL/dA = dL/dR = dL/dO: the sum of spikes has no gradient of its own."""
    norms = gradient_norms(net("sew_resnet18"), IMAGES, LABELS, batch=10)
    assert norms.blocks == ("stage1.0.add", "stage1.1.add", "stage2.0.add")
    assert norms.direct.shape == (2, 3) and (norms.output > 0).all()
    np.testing.assert_allclose(norms.direct, norms.output, rtol=1e-6)
    np.testing.assert_allclose(norms.residual, norms.output, rtol=1e-6)


def test_equation_10_the_straight_through_barrier_does_too():
    norms = gradient_norms(net("sparse_resnet18", barrier_grad="ste"), IMAGES, LABELS, batch=10)
    np.testing.assert_allclose(norms.direct, norms.output, rtol=1e-6)
    np.testing.assert_allclose(norms.residual, norms.output, rtol=1e-6)


def test_by_default_a_barrier_hands_on_its_own_derivative():
    """What it hands on goes to both branches, and is what it gets where the sum is at most N, else nothing."""
    chosen = net("sparse_resnet18")
    assert [m.grad for m in chosen.modules() if isinstance(m, Barrier)] == ["clip"] * 3
    norms = gradient_norms(chosen, IMAGES, LABELS, batch=10)
    np.testing.assert_allclose(norms.direct, norms.residual, rtol=1e-6)
    assert (norms.direct < norms.output).all()


def test_equation_9_a_surrogate_barrier_does_not():
    norms = gradient_norms(net("sparse_resnet18", barrier_grad="attached"), IMAGES, LABELS, batch=10)
    np.testing.assert_allclose(norms.direct, norms.residual, rtol=1e-6)
    assert not np.isclose(norms.direct, norms.output, rtol=1e-3).all(axis=0).any()


def test_against_autograd_by_hand():
    """Gradients of leaves put in the place of A, R and O."""
    chosen = net("sew_resnet18", blocks=(1,)).eval()
    norms = gradient_norms(chosen, IMAGES, LABELS, batch=20, training=False)
    x = torch.from_numpy(IMAGES.copy())
    stem = chosen.stem(chosen.input(x)).detach()
    block = chosen.stage1[0]
    a = block.conv2(block.conv1(stem)).detach().requires_grad_()
    r = stem.clone().requires_grad_()
    o = (a + r).detach().requires_grad_()
    for got, leaf, out in ((norms.direct, a, a + r), (norms.residual, r, a + r), (norms.output, o, o)):
        logits = chosen.readout(chosen.flatten(chosen.pool(out)))
        loss = nn.functional.cross_entropy(logits, torch.from_numpy(LABELS.copy()))
        (wanted,) = torch.autograd.grad(loss, leaf)
        assert got[0, 0] == pytest.approx(float(wanted.norm()), rel=1e-4)


def test_the_network_is_left_alone():
    chosen = net("sparse_resnet18")
    before = {k: v.clone() for k, v in chosen.state_dict().items()}
    gradient_norms(chosen, IMAGES, LABELS, batch=8)
    assert all(torch.equal(v, before[k]) for k, v in chosen.state_dict().items())
    assert all(p.grad is None for p in chosen.parameters())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in chosen.modules())


@pytest.mark.parametrize("name", ["spiking_resnet18", "ms_resnet18"])
def test_sums_of_currents(name):
    norms = gradient_norms(net(name), IMAGES, LABELS, batch=20)
    assert len(norms.blocks) == 3 and (norms.output > 0).all() and (norms.residual > 0).all()
    np.testing.assert_allclose(norms.direct, norms.residual, rtol=1e-6)
    frame = norms.to_frame()
    assert list(frame["place"].unique()) == ["direct", "residual", "output"] and len(frame) == 9


def test_windows_and_recurrent_cells_are_no_residual_sums():
    """Both have blocks of two connections: a spike taken off a group's own membrane, the last message of a cell."""
    options = {"width": 4, "groups": 2, "fusion": "group", "levels": 4}
    windows = train.create("window_cnn12", DIGITS, stages=("wFw", "wF"), mixing="channel", **options)
    assert gradient_norms(windows, IMAGES, LABELS, batch=20).blocks == ("stage1_full1.add",)
    cells = train.create("window_lstm12", DIGITS, stages=("wF",), cell="rnn", messages=3, **options)
    with pytest.raises(ValueError, match="WindowRNN has no residual sums"):
        gradient_norms(cells, IMAGES, LABELS)


def test_refusals():
    with pytest.raises(ValueError, match="CNN has no residual sums"):
        gradient_norms(model.create("cnn", in_shape=(1, 8, 8), width=2), IMAGES, LABELS)
    with pytest.raises(ValueError, match=r"images and labels: .* got 20 and 3"):
        gradient_norms(net("sew_resnet18"), IMAGES, LABELS[:3])
    with pytest.raises(ValueError, match="batch"):
        gradient_norms(net("sew_resnet18"), IMAGES, LABELS, batch=0)
