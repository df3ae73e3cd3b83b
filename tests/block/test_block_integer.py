"""The arithmetic of quantization: integers, powers of two, bounds."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from lava_mlsnn.block.integer import Dyadic, Quantization, membrane_bound, power_of_two, quantize
from lava_mlsnn.block.signal import Signal
from lava_mlsnn.netx import fits_8_bits

LIMIT = 2**23 - 1


def spec(bits: int = 8, per_channel: bool = True, steps: int = 1, bounds: tuple[int, ...] = (4,)) -> Quantization:
    return Quantization(bits, per_channel, steps, tuple(Signal((1, 1, 1), 4, bound) for bound in bounds))


@st.composite
def problems(draw: st.DrawFn) -> tuple[Tensor, Tensor, Quantization, int]:
    random = torch.Generator().manual_seed(draw(st.integers(0, 2**16)))
    shape = (draw(st.integers(1, 5)), draw(st.integers(1, 30)))
    size = 2.0 ** draw(st.integers(-20, 7))
    weight = torch.randn(shape, generator=random) * size * torch.rand(shape[0], 1, generator=random)
    bias = torch.randn(shape[0], generator=random) * 2.0 ** draw(st.integers(-5, 5))
    bound = draw(st.sampled_from((1, 4, 255, 40)))
    q = spec(draw(st.integers(2, 8)), draw(st.booleans()), draw(st.integers(1, 10)), (bound,))
    return weight, bias, q, draw(st.sampled_from((0, 1, 4, 10)))


def exact(dyadic: Dyadic) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights, bias and exponent in float64, where nothing can be rounded away."""
    return dyadic.weights[0].double().numpy(), dyadic.bias.double().numpy(), dyadic.exponent.numpy()


@given(problems())
def test_integers_times_powers_of_two(problem: tuple[Tensor, Tensor, Quantization, int]) -> None:
    weight, bias, q, levels = problem
    dyadic = quantize([weight], bias, q, levels)
    w, b, e = exact(dyadic)
    (wide,), whole, exponent = dyadic.checked(q)
    assert len(e) == (len(weight) if q.per_channel else 1)
    assert np.array_equal(wide.numpy(), w * 2.0 ** e[:, None]), "weights are integers / 2^e"
    assert np.array_equal(whole.numpy(), b * 2.0**e), "bias is an integer / 2^e"
    assert np.array_equal(exponent.numpy(), e)
    assert np.abs(wide.numpy()).max() <= q.weight_max
    assert e.min() >= 0 and 2.0 ** e.max() * (levels + 1) <= LIMIT
    kept = np.abs(weight.numpy() * 2.0 ** e[:, None]) <= q.weight_max
    error = np.abs(w - weight.numpy())[kept]
    assert np.all(error <= 0.5 * (2.0 ** -e[:, None] * np.ones_like(w))[kept]), "rounded to the nearest"
    assert membrane_bound([wide.double()], whole.double(), q).max() <= LIMIT


@given(problems())
def test_exponent_is_the_largest_that_fits(problem: tuple[Tensor, Tensor, Quantization, int]) -> None:
    weight, bias, q, levels = problem
    e = quantize([weight], bias, q, levels).exponent.numpy().astype(float)
    finer = 2.0 ** (e + 1)
    weights = np.abs(weight.double().numpy()).max(1) * finer > q.weight_max
    current = q.inputs[0].bound * np.abs(weight.double().numpy()).sum(1) + np.abs(bias.double().numpy())
    slack = q.steps * (0.5 + 0.5 * q.inputs[0].bound * weight.shape[1])
    membrane = q.steps * current * finer > (LIMIT - slack) * (1 - 1e-6)
    cap = (e == 20) | (finer * (levels + 1) > LIMIT)
    full = weights | membrane | cap | (e == 0)
    assert full.all() if q.per_channel else full.any()


def test_a_start_needs_room_on_the_membrane() -> None:
    """7.5 thresholds of bias and 0.9 of start are more than 8, 2^23 units of 2^-20."""
    weight, bias = torch.tensor([[1e-5]]), torch.tensor([7.5])
    assert [quantize([weight], bias, spec(), 4, start).exponent.item() for start in (0.0, 0.9)] == [20, 19]
    plain = quantize([weight], bias, spec(), 4)
    plain.checked(spec())
    with pytest.raises(ValueError, match="channel 0: its membrane can reach 8808"):
        Dyadic(plain.weights, plain.bias, plain.exponent, 0.9).checked(spec())


def test_powers_of_two_are_exact() -> None:
    exponent = torch.arange(-60, 61)
    for dtype in (torch.float32, torch.float64):
        assert np.array_equal(power_of_two(exponent, dtype).numpy(), 2.0 ** exponent.numpy().astype(np.float64))


def test_gradient_goes_straight_through() -> None:
    weight = torch.tensor([[0.3, -0.26], [300.0, 0.0]], requires_grad=True)
    bias = torch.tensor([0.1, 0.2], requires_grad=True)
    dyadic = quantize([weight], bias, spec(), 4)
    (dyadic.weights[0] * torch.tensor([[1.0, 2.0], [3.0, 4.0]])).sum().add(dyadic.bias.sum() * 5).backward()
    assert weight.grad.tolist() == [[1, 2], [3, 4]] and bias.grad.tolist() == [5, 5]
    assert dyadic.weights[0][1, 0] == 127, "clipped at a threshold of one"


def test_identity_keeps_eight_bits_beside_fine_weights() -> None:
    """A residual of weight 1 in units of the threshold is 2^e: more than 127, but one bit of mantissa."""
    fine = torch.tensor([[0.001, 0.002], [0.01, 0.02], [0.3, 0.5]])
    dyadic = quantize([fine, torch.ones(3)], torch.zeros(3), spec(bounds=(4, 4)), 4)
    (wide, one), _, exponent = dyadic.checked(spec(bounds=(4, 4)))
    assert one.tolist() == [2**e for e in exponent.tolist()]
    assert exponent.max() - exponent.min() <= 6 and exponent.min() >= 7
    assert wide.abs().max() <= 127
    third = quantize([fine, torch.full((3,), 1 / 3)], torch.zeros(3), spec(bounds=(4, 4)), 4)
    (_, odd), _, e = third.checked(spec(bounds=(4, 4)))
    assert fits_8_bits(odd.numpy())
    np.testing.assert_allclose(odd.numpy() / 2.0 ** e.numpy(), 1 / 3, rtol=2**-4)
    assert e.max() - e.min() <= 3


def test_a_fan_in_that_cannot_fit() -> None:
    with pytest.raises(ValueError, match=r"a fan-in of 70000 inputs of up to 255 over 1 steps can pass 2\^23"):
        quantize([torch.zeros(1, 70000)], torch.zeros(1), spec(bounds=(255,)), 4)


def test_checked_names_the_channel() -> None:
    q = spec()
    dyadic = quantize([torch.zeros(2, 1)], torch.tensor([0.0, 2.0**24]), q, 4)
    with pytest.raises(ValueError, match=r"channel 1: its membrane can reach 16777216 within 1 steps \(bias 16777216"):
        dyadic.checked(q)
    with pytest.raises(ValueError, match="not finite"):
        quantize([torch.full((1, 1), torch.nan)], torch.zeros(1), q, 4).checked(q)


def test_signals_add_in_one_unit() -> None:
    a = Signal((2, 3, 3), 4, 4)
    assert (a + a + a).bound == 12
    with pytest.raises(ValueError, match="levels 4 and 3: expected equal levels"):
        a + Signal((2, 3, 3), 3, 3)
    with pytest.raises(ValueError, match=r"shapes \(2, 3, 3\) and \(2, 3, 2\)"):
        a + Signal((2, 3, 2), 4, 4)
    with pytest.raises(ValueError, match="expected one kind"):
        a + Signal((2, 3, 3), 4, 4, deltas=True)
