"""Float mode: blocks are conv, norm and neuron of plain torch, step by step."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from lava_mlsnn import block
from lava_mlsnn.neuron import Barrier, MultiLevel


@given(st.integers(1, 4), st.sampled_from((1, 3, 4)), st.booleans(), st.booleans(), st.integers(0, 999))
@settings(max_examples=20)
def test_conv_is_conv2d_at_each_step(steps: int, levels: int, norm: bool, training: bool, seed: int) -> None:
    torch.manual_seed(seed)
    conv = block.Conv(4, 6, (3, 2), (1, 2), (1, 0), neuron=MultiLevel(levels), norm=norm, groups=2, dilation=(1, 2))
    conv.double().train(training)
    x = torch.rand(3, 4, 6, 7, steps).double()
    current = torch.stack([conv.synapse(x[..., t]) for t in range(steps)], -1)
    if norm:  # statistics over batch, space and time together, as SLAYER's norms
        steps_as_rows = current.transpose(2, 4).reshape(3, 6, -1, 1)
        mean, variance = steps_as_rows.mean((0, 2, 3)), steps_as_rows.var((0, 2, 3), unbiased=False)
        if not training:
            mean, variance = conv.norm.running_mean.clone(), conv.norm.running_var.clone()
        shape = (1, 6, 1, 1, 1)
        current = (current - mean.view(shape)) / (variance.view(shape) + conv.norm.eps).sqrt()
    v, spikes = torch.zeros_like(current[..., 0]), []
    for t in range(steps):
        h = v + levels * current[..., t]
        spikes.append(h.floor().clamp(0, levels))
        v = h - spikes[-1]
    expected = torch.stack(spikes, -1) / levels
    different = (conv(x) - expected).abs() > 1e-9
    assert different.double().mean() < 1e-3, "other sums round otherwise, which moves a rare spike"


def test_a_repeated_image_costs_one_convolution_and_changes_nothing() -> None:
    torch.manual_seed(0)
    conv = block.Conv(2, 3, 3, neuron=MultiLevel(4)).eval()
    image = torch.rand(2, 2, 5, 5, 1)
    calls = []
    conv.synapse.register_forward_hook(lambda module, inputs, output: calls.append(inputs[0].shape[0]))
    repeated = conv(image.expand(2, 2, 5, 5, 4))
    assert torch.equal(repeated, conv(image.repeat(1, 1, 1, 1, 4)))
    assert calls == [2, 8]
    pool = block.Pool(2)
    assert torch.equal(pool(image.expand(2, 2, 5, 5, 4)), pool(image.repeat(1, 1, 1, 1, 4)))


@pytest.mark.parametrize("norm", [True, False])
def test_dense_reads_maps_in_channel_row_column_order(norm: bool) -> None:
    torch.manual_seed(0)
    dense = block.Dense(12, 5, norm=norm).eval()
    x = torch.rand(4, 3, 2, 2, 3)
    expected = torch.stack(
        [F.linear(x[..., t].reshape(4, -1), dense.synapse.weight, dense.synapse.bias) for t in range(3)], -1
    )
    if norm:
        expected = expected / (1 + dense.norm.eps) ** 0.5
    torch.testing.assert_close(dense(x), expected)
    torch.testing.assert_close(dense(block.Flatten()(x)), expected)


def test_readout_averages_over_time() -> None:
    torch.manual_seed(0)
    readout = block.Readout(6, 4)
    x = torch.rand(3, 6, 5)
    torch.testing.assert_close(readout(x), F.linear(x.mean(-1), readout.synapse.weight, readout.synapse.bias))


def test_pools() -> None:
    x = torch.arange(2 * 16.0).reshape(1, 2, 4, 4, 1)
    assert block.Pool(2)(x)[0, 0, ..., 0].tolist() == [[10, 18], [42, 50]]
    assert block.Pool(2, mode="average")(x)[0, 0, ..., 0].tolist() == [[2.5, 4.5], [10.5, 12.5]]
    assert block.Pool(2, mode="max")(x)[0, 0, ..., 0].tolist() == [[5, 7], [13, 15]]
    assert block.Pool(3, 1)(x).shape == (1, 2, 2, 2, 1)
    assert block.Pool(3, 3, "max", 1)(x)[0, 0, ..., 0].tolist() == [[5, 7], [13, 15]]
    assert block.Pool(2, 4, "average", (1, 0))(x)[0, 0, ..., 0].tolist() == [[0.25], [6.25]]
    with pytest.raises(ValueError, match=r"pool padding \(2, 2\): expected at most half of the kernel, \(3, 3\)"):
        block.Pool(3, padding=2)
    assert block.Pool(None, mode="average")(x).flatten().tolist() == [7.5, 23.5]
    with pytest.raises(ValueError, match="pool mode: expected one of sum, average, max, got 'median'"):
        block.Pool(2, mode="median")


def test_sums() -> None:
    a, b = torch.full((1, 1, 1), 0.5), torch.full((1, 1, 1), 0.75)
    assert block.Add()(a, b, b).item() == 2.0
    assert block.Add(Barrier(4))(a, b).item() == 1.0
    assert block.Add(nn.ReLU())(a, -b).item() == 0.0
    with pytest.raises(ValueError, match="a sum of 1 input: expected two or more"):
        block.Add()(a)


def test_a_neuron_behind_two_currents() -> None:
    torch.manual_seed(0)
    merge = block.Block([block.conv(2, 3, 3, 1, 1), block.conv(2, 3, 1)], MultiLevel(4)).eval()
    x, y = torch.rand(2, 2, 4, 4, 2), torch.rand(2, 2, 4, 4, 2)
    first, second = merge.connections
    assert torch.equal(merge(x, y), merge.neuron(first(x) + second(y)))
    with pytest.raises(ValueError, match="expected 2 inputs, one per connection, got 1"):
        merge(x)


def test_input_takes_pixels_and_numbers() -> None:
    entrance = block.Input((1, 2, 2), scale=1 / 16, bits=5, steps=3)
    pixels = torch.randint(0, 17, (4, 1, 2, 2), dtype=torch.uint8)
    out = entrance(pixels)
    assert out.shape == (4, 1, 2, 2, 3) and out.dtype == torch.float32
    assert torch.equal(out, entrance(pixels / 16)) and torch.equal(out[..., 2], pixels / 16)
    assert torch.equal(entrance(pixels[..., None].repeat(1, 1, 1, 1, 2)), out[..., :2])
    assert entrance.messages(torch.tensor([-1.0, 0.03, 0.04, 0.5, 9.0])).tolist() == [0, 0, 1, 8, 31]
    signed = block.Input((1, 2, 2), scale=1 / 16, bits=5, signed=True)
    assert signed.messages(torch.tensor([-9.0, -0.04, 9.0])).tolist() == [-16, -1, 15]
    for shape in ((4, 2, 2, 2), (1, 2, 2), (4, 1, 2, 3, 1)):
        with pytest.raises(ValueError, match=r"expected shape \(N, 1, 2, 2\) or \(N, 1, 2, 2, T\), got"):
            entrance(torch.zeros(shape))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: block.Conv(0, 4, 3), "in_features: expected an integer >= 1, got 0"),
        (lambda: block.Conv(2, 4, 0), "kernel: expected 2 integers >= 1, got 0"),
        (lambda: block.Conv(2, 4, 3, padding=-1), "padding: expected 2 integers >= 0, got -1"),
        (lambda: block.Dense(4, 0), "out_features: expected an integer >= 1, got 0"),
        (lambda: block.Input((1, 8)), "input shape: expected 3 integers >= 1"),
        (lambda: block.Input((1, 8, 8), scale=0), "input scale: expected a finite number > 0, got 0"),
        (lambda: block.Input((1, 8, 8), steps=0), "steps: expected an integer >= 1, got 0"),
        (lambda: block.Connection(nn.Conv3d(1, 1, 1)), "synapse Conv3d: expected nn.Conv2d, nn.Linear or nn.Identity"),
        (lambda: block.Connection(nn.Conv2d(1, 1, 3, padding="same")), "convolution padding 'same'"),
        (lambda: block.Connection(nn.Conv2d(1, 1, 3, padding_mode="circular")), "'circular': expected zeros"),
    ],
)
def test_constructors_check_their_arguments(make: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_folding_is_batch_norm() -> None:
    torch.manual_seed(0)
    for affine in (True, False):
        connection = block.Connection(nn.Conv2d(3, 4, 3, bias=True), nn.BatchNorm2d(4, affine=affine)).double()
        for _ in range(3):
            connection(torch.randn(8, 3, 5, 5, 1).double() * 2 + 1)
        connection.eval()
        weight, bias = connection.folded()
        x = torch.randn(2, 3, 5, 5, 1).double()
        np.testing.assert_allclose(
            connection(x).detach(), (connection.apply_weight(x, weight) + bias.view(-1, 1, 1, 1)).detach(), rtol=1e-9
        )
    with pytest.raises(ValueError, match="without running statistics cannot be folded"):
        block.Connection(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, track_running_stats=False)).folded()
