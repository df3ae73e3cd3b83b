"""The closed form against the micro-step loop, on every path, layout and dtype."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lava_mlsnn.neuron import functional

LEVELS = (1, 2, 4, 8, 10)


def closed_form(charge: torch.Tensor, v: torch.Tensor, threshold: float, levels: int) -> tuple[torch.Tensor, ...]:
    """The equations as written, out of the way of chunks, layouts and autograd."""
    spikes = []
    for current in charge.unbind(-1):
        h = v + current
        spikes.append(torch.clamp(torch.floor(h / threshold), 0, levels))
        v = h - threshold * spikes[-1]
    return torch.stack(spikes, -1), v


def charges(steps: int, threshold: float, levels: int) -> torch.Tensor:
    """Random charges, and charges that put the first potential next to a step of the staircase, float64."""
    generator = torch.Generator().manual_seed(steps * 100 + levels)
    random = 1.5 * threshold * levels * torch.randn(4000, steps, generator=generator, dtype=torch.float64)
    near = random[:1000].clone()
    side = 2e-9 * torch.randint(2, (1000,), generator=generator).double() - 1e-9
    near[:, 0] = threshold * torch.randint(-2, levels + 3, (1000,), generator=generator).double() + side
    return torch.cat([random, near])


@pytest.mark.parametrize("steps", [1, 2, 3, 4])
@pytest.mark.parametrize("levels", LEVELS)
def test_forward_equals_the_micro_steps(steps: int, levels: int) -> None:
    for threshold in (1.0, 0.7, 2.3):
        check_forward(steps, levels, threshold)


def check_forward(steps: int, levels: int, threshold: float) -> None:
    charge = charges(steps, threshold, levels)
    v = threshold * torch.linspace(-1, 2, len(charge), dtype=torch.float64) * (steps > 1)
    for exact in (None, False):
        z, after = functional.fire(charge, v, threshold, levels, exact=exact)
        expected, expected_after = functional.micro_steps(charge, v, threshold, levels)
        assert torch.equal(z, expected)
        torch.testing.assert_close(after, expected_after, rtol=0, atol=1e-11)


@pytest.mark.parametrize("levels", LEVELS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_dyadic_charges_are_exact(levels: int, dtype: torch.dtype) -> None:
    """Vth = 1 and multiples of 2^-8, all steps of the staircase hit exactly: float arithmetic is integer arithmetic."""
    generator = torch.Generator().manual_seed(levels)
    units = torch.randint(-(2**9) * levels, 2**10 * levels, (3000, 3), generator=generator)
    units[:500] = units[:500] // 256 * 256
    z, v = functional.fire(units.to(dtype) / 256, None, 1.0, levels)
    left = torch.zeros(3000, dtype=torch.int64)
    for t in range(3):
        h = left + units[:, t]
        expected = torch.clamp(torch.div(h, 256, rounding_mode="floor"), 0, levels)
        assert torch.equal(z[:, t].long(), expected)
        left = h - 256 * expected
    assert torch.equal((v * 256).long(), left)
    loop = functional.micro_steps(units.to(dtype) / 256, None, 1.0, levels)
    assert torch.equal(loop[0], z)
    assert torch.equal(loop[1], v)


@pytest.mark.parametrize("levels", range(1, 11))
def test_levels_of_a_constant_input(levels: int) -> None:
    """Paper 000, Fig. 2: N T + 1 quantization levels, saturation where x = Vth; the k-th step is at x = k Vth/(N T)."""
    for steps in range(1, 11):
        check_levels(steps, levels)


def check_levels(steps: int, levels: int) -> None:
    total = levels * steps
    k = torch.arange(-2, 2 * total + 1, dtype=torch.float64)
    x = ((k + 0.5) / total).unsqueeze(-1).expand(-1, steps)  # between the steps, where every sum is far from a tie
    z, _ = functional.multilevel(x, None, 1.0, levels)
    assert torch.equal(z.sum(-1), k.clamp(0, total))
    assert len(z.sum(-1).unique()) == total + 1
    at_threshold, _ = functional.multilevel(torch.ones(1, steps), None, 1.0, levels)
    assert torch.equal(at_threshold, torch.full((1, steps), float(levels)))


def layouts(x: torch.Tensor) -> dict[str, torch.Tensor]:
    """The same (N, C, H, W, T) tensor in several memory layouts."""
    wide = torch.zeros(*x.shape[:-1], 2 * x.shape[-1], dtype=x.dtype)
    wide[..., ::2] = x
    return {
        "contiguous": x.contiguous(),
        "time-major": x.movedim(-1, 0).contiguous().movedim(0, -1),
        "channels-last": x.movedim((-1, 1), (0, -1)).contiguous().movedim((0, -1), (-1, 1)),
        "batch-major": x.movedim(-1, 1).contiguous().movedim(1, -1),
        "strided": wide[..., ::2],
        "expanded": x[:1].expand_as(x),
    }


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("name", ["contiguous", "time-major", "channels-last", "batch-major", "strided", "expanded"])
def test_memory_layout_does_not_matter(steps: int, name: str) -> None:
    generator = torch.Generator().manual_seed(steps)
    x = 3 * torch.randn(2, 3, 4, 5, steps, generator=generator)
    v = torch.randn(2, 3, 4, 5, generator=generator)
    weight, weight_v = torch.randn(x.shape, generator=generator), torch.randn(v.shape, generator=generator)
    results = []
    for current in (layouts(x)[name], layouts(x)[name].contiguous()):
        current, state = current.detach().requires_grad_(), v.clone().requires_grad_()
        z, after = functional.fire(current, state, 1.0, 4)
        ((z * weight).sum() + (after * weight_v).sum()).backward()
        results.append((z, after, current.grad, state.grad))
    for got, wanted in zip(*results, strict=True):
        assert torch.equal(got, wanted)


def test_state_layout_and_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A state in another layout than the current, and chunks that do not divide the number of neurons."""
    monkeypatch.setattr("lava_mlsnn.neuron.passes._CHUNK", 7)
    generator = torch.Generator().manual_seed(0)
    x = 2 * torch.randn(3, 5, 4, 2, generator=generator)
    v = torch.randn(5, 4, 3, generator=generator).permute(2, 0, 1)
    for current in (x, x.movedim(-1, 0).contiguous().movedim(0, -1)):
        current = current.detach().requires_grad_()
        z, after = functional.fire(current, v, 0.5, 3)
        expected = closed_form(x, v, 0.5, 3)
        assert torch.equal(z, expected[0])
        assert torch.equal(after, expected[1])
        z.sum().backward()
        exact = x.clone().requires_grad_()
        functional.fire(exact, v, 0.5, 3, exact=True)[0].sum().backward()
        torch.testing.assert_close(current.grad, exact.grad, rtol=0, atol=4e-3)


@pytest.mark.parametrize("levels", [1, 2, 4])
@pytest.mark.parametrize("alpha", [0.01, 12.0, 16.0, 18.0, 20.0, 25.0, 30.0, 60.0, 400.0])
@pytest.mark.parametrize("neurons", [200, 9000])
def test_any_sharpness_has_its_gradient(levels: int, alpha: float, neurons: int) -> None:
    """Sharp surrogates have tables whose first entry lies beyond 2^15 bins, or none that is short enough."""
    x = levels * torch.linspace(-0.3, 1.3, neurons).unsqueeze(-1)
    found = []
    for exact in (None, True):
        leaf = x.clone().requires_grad_()
        functional.fire(leaf, None, 1.0, levels, alpha=alpha, exact=exact)[0].sum().backward()
        found.append(leaf.grad)
    torch.testing.assert_close(*found, rtol=0, atol=1.01e-3 * levels)
    assert found[1] is not None and found[1].max() > min(0.2 * alpha, 5.0)


@given(
    shape=st.lists(st.integers(0, 4), min_size=0, max_size=4),
    steps=st.integers(1, 4),
    levels=st.integers(1, 12),
    eighths=st.integers(1, 40),
    grad=st.booleans(),
    seed=st.integers(0, 2**16),
)
def test_every_path_gives_the_same_spikes(
    shape: list[int], steps: int, levels: int, eighths: int, grad: bool, seed: int
) -> None:
    """Any shape, empty ones too; thresholds whose multiples are exact; no charge is lost: their sum is V + Vth z."""
    threshold = eighths / 8
    generator = torch.Generator().manual_seed(seed)
    charge = torch.randint(-64, 64 * levels, (*shape, steps), generator=generator) / 16
    charge.requires_grad_(grad)
    expected, left = closed_form(charge.detach(), torch.zeros(shape), threshold, levels)
    for exact in (None, True, False):
        z, v = functional.fire(charge, None, threshold, levels, alpha=5 / threshold, exact=exact)
        assert torch.equal(z, expected)
        assert torch.equal(v, left)
        assert torch.equal(v + threshold * z.sum(-1), charge.sum(-1))


@pytest.mark.parametrize("shape", [(0,), (2, 0), (0, 2), (3, 0, 2)])
@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("grad", [False, True])
def test_no_neurons_send_no_spikes(shape: tuple[int, ...], steps: int, grad: bool) -> None:
    """What torch computes of an empty tensor may have strides of 0."""
    charge = (torch.zeros(*shape, steps) / 2).requires_grad_(grad)
    z, v = functional.fire(charge, None, 1.0, 4)
    assert z.shape == (*shape, steps) and v.shape == shape
    if grad:
        z.sum().backward()
        assert charge.grad is not None and charge.grad.shape == charge.shape


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_computes_in_float32(dtype: torch.dtype) -> None:
    x = torch.randn(100, 2).to(dtype).requires_grad_()
    z, v = functional.multilevel(x, None, 1.0, 10)
    expected, left = functional.multilevel(x.float(), None, 1.0, 10)
    assert z.dtype == dtype
    assert torch.equal(z.float(), expected)
    assert torch.equal(v, left)
    z.sum().backward()
    assert x.grad is not None and x.grad.dtype == dtype


def test_infinite_and_undefined_currents() -> None:
    x = torch.tensor([[float("inf")], [float("-inf")], [float("nan")]], requires_grad=True)
    z, _ = functional.fire(x, None, 1.0, 4)
    assert z[:2, 0].tolist() == [4, 0]
    assert z[2].isnan()
    z.sum().backward()  # no index out of the table


@pytest.mark.parametrize("levels", [1, 3, 4, 10])
@pytest.mark.parametrize("grad", ["ste", "attached"])
def test_barrier_clips_whole_numbers(levels: int, grad: str) -> None:
    """Inputs k/N as float32 has them; what exceeds N waits in V."""
    a, b = torch.meshgrid(torch.arange(levels + 1.0), torch.arange(levels + 1.0), indexing="ij")
    x = torch.stack([a / levels + b / levels, b / levels + 0 * a], dim=-1).requires_grad_()
    z, v = functional.barrier(x, None, levels, grad)
    first = (a + b).clamp(max=levels)
    second = (a + b - first + b).clamp(max=levels)
    assert torch.equal(z, torch.stack([first, second], dim=-1))
    assert torch.equal(v, a + 2 * b - first - second)
