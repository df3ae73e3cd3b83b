"""Surrogate gradients: exact ones against autograd through the loop, looked up ones against exact ones."""

from __future__ import annotations

import pytest
import torch

from lava_mlsnn.neuron import GRADS, functional, surrogate

LEVELS = (1, 2, 4, 8, 10)


def sample(steps: int, levels: int, threshold: float, dtype: torch.dtype = torch.float64) -> tuple[torch.Tensor, ...]:
    """Leaves (charge, v, threshold) and weights of a linear loss on (z, v)."""
    generator = torch.Generator().manual_seed(10 * steps + levels)
    charge = threshold * (levels / 2 + levels * torch.randn(300, steps, generator=generator, dtype=dtype))
    v = threshold * torch.randn(300, generator=generator, dtype=dtype)
    leaves = [t.requires_grad_() for t in (charge, v, torch.tensor(threshold, dtype=dtype))]
    return *leaves, torch.randn(300, steps, generator=generator, dtype=dtype), torch.randn(300, generator=generator)


def gradients(function, steps: int, levels: int, threshold: float, dtype: torch.dtype = torch.float64):
    *leaves, weight_z, weight_v = sample(steps, levels, threshold, dtype)
    z, v = function(*leaves)
    return torch.autograd.grad((z * weight_z).sum() + (v * weight_v).sum(), leaves)


@pytest.mark.parametrize("levels", LEVELS)
@pytest.mark.parametrize("grad", ["attached", "detached"])
def test_exact_backward_equals_autograd_through_the_loop(levels: int, grad: str) -> None:
    for steps in (1, 2, 3, 4):
        for threshold, alpha in ((1.0, 5.0), (0.7, 3.0), (2.0, 1.0)):
            check_exact(steps, levels, threshold, alpha, grad)


def check_exact(steps: int, levels: int, threshold: float, alpha: float, grad: str) -> None:
    got = gradients(lambda *a: functional.fire(*a, levels, grad, alpha), steps, levels, threshold)
    wanted = gradients(
        lambda *a: functional.micro_steps(*a, levels, alpha, detach_reset=grad == "detached"), steps, levels, threshold
    )
    for a, b in zip(got, wanted, strict=True):
        assert float((a - b).abs().max() / b.abs().max().clamp(min=1)) < 1e-10


@pytest.mark.parametrize("levels", [1, 4])
def test_threshold_per_neuron(levels: int) -> None:
    """A threshold per channel broadcasts against (N, C, H, W) and gets a gradient of its own shape."""
    generator = torch.Generator().manual_seed(0)
    charge = 2 + 3 * torch.randn(2, 3, 4, 4, 2, generator=generator, dtype=torch.float64)
    threshold = torch.tensor([0.5, 1.0, 1.7], dtype=torch.float64).view(3, 1, 1).requires_grad_()
    z, v = functional.fire(charge, None, threshold, levels)
    expected, left = functional.micro_steps(charge, None, threshold, levels)
    assert torch.equal(z, expected)
    (got,) = torch.autograd.grad(z.sum() + v.sum(), threshold)
    (wanted,) = torch.autograd.grad(expected.sum() + left.sum(), threshold)
    torch.testing.assert_close(got, wanted, rtol=1e-10, atol=0)


def softened(levels: int, steps: int, grad: str, alpha: float):
    """A smooth neuron equal to the hard one at the first call: a spike moves with sigmoid(alpha q) from there.

    Its true derivative there is the surrogate gradient, so finite differences of it check the surrogate.
    """
    base: list[tuple[torch.Tensor, torch.Tensor]] = []

    def neuron(charge: torch.Tensor, v: torch.Tensor, threshold: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        first, calls, outputs = not base, iter(list(base)), []
        h = v
        for current in charge.unbind(-1):
            h = h + current
            start, z = h, torch.zeros_like(h)
            for n in range(levels):
                q = start - (n + 1) * threshold if grad == "sigmoids" else h - threshold
                soft = torch.sigmoid(alpha * q)
                if first:
                    base.append(((q >= 0).to(q.dtype).detach(), soft.detach()))
                hard, soft_then = base[-1] if first else next(calls)
                g = hard + soft - soft_then
                h, z = h - threshold * g, z + g
            outputs.append(z)
        return torch.stack(outputs, -1), h

    return neuron


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("levels", [1, 4])
@pytest.mark.parametrize("grad", ["attached", "sigmoids"])
def test_gradcheck(steps: int, levels: int, grad: str) -> None:
    """Finite differences of the softened neuron, in all three arguments, against the exact backward."""
    charge, v, threshold, *_ = sample(steps, levels, 0.8)
    leaves = [t.detach()[:6].clone().requires_grad_() for t in (charge, v)] + [threshold]
    soft = softened(levels, steps, grad, alpha=2.0)
    soft(*leaves)

    def values_of_soft_gradients_of_hard(*inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        hard = functional.fire(*inputs, levels, grad, 2.0)
        return tuple(s.detach() + h - h.detach() for s, h in zip(soft(*inputs), hard, strict=True))

    assert torch.autograd.gradcheck(values_of_soft_gradients_of_hard, leaves, eps=1e-6, atol=1e-7)


def near_and_far(levels: int, threshold: float) -> torch.Tensor:
    """Potentials everywhere, on both sides of every edge of a bin's kind, and far outside of the table; float32."""
    even = torch.linspace(-6, levels + 6, 200_001, dtype=torch.float64)
    steps = torch.arange(-2, levels + 3, dtype=torch.float64)
    sides = torch.cat([steps, steps + 0.5, steps + 1e-5, steps - 1e-5, steps / 2 + 2.0**-11])
    return (threshold * torch.cat([even, sides, torch.tensor([-1e30, 1e30])])).float().unsqueeze(-1)


@pytest.mark.parametrize("levels", [1, 2, 3, 4, 10, 32])
@pytest.mark.parametrize(("threshold", "alpha"), [(1.0, 5.0), (0.37, 5.0), (0.1, 2.0), (2.0, 2.9), (0.5, 13.0)])
@pytest.mark.parametrize("grad", ["attached", "sigmoids", "ste"])
def test_table_stays_within_a_thousandth_of_the_slope(levels: int, threshold: float, alpha: float, grad: str) -> None:
    """dz/dx = N dz/dH and dz/dVth within 1e-3 of N/Vth, wherever the potential is."""
    charge = near_and_far(levels, threshold)
    u = (charge / threshold).double()
    slope, threshold_slope = surrogate.slopes(u, levels, alpha * threshold, grad)
    x = charge.clone().requires_grad_()
    functional.fire(x, None, threshold, levels, grad, alpha, exact=False)[0].sum().backward()
    assert x.grad is not None
    assert float((x.grad.double() * threshold - slope).abs().max()) <= 1e-3
    table = surrogate.table(levels, alpha * threshold, grad)
    assert table is not None
    entry = (u * table.bins).trunc().clamp(table.low * table.bins, table.high * table.bins) - table.low * table.bins
    error = (table.threshold_slope[entry.long()].double() - threshold_slope).abs()
    assert float(error[u.abs() < levels + 6].max()) <= 1e-3 * levels


def test_detached_has_a_table_where_its_slope_is_moderate() -> None:
    """Its slope reaches N alpha Vth / 4, too much for a table with many levels; then it is computed."""
    assert surrogate.table(4, 5.0, "detached") is not None
    assert surrogate.table(10, 6.5, "detached") is None
    x = near_and_far(10, 1.0).requires_grad_()
    functional.fire(x, None, 1.0, 10, "detached", 6.5)[0].sum().backward()
    torch.testing.assert_close(x.grad, surrogate.slopes(x.detach(), 10, 6.5, "detached")[0])


@pytest.mark.parametrize("levels", LEVELS)
@pytest.mark.parametrize("grad", GRADS)
def test_table_through_time(levels: int, grad: str) -> None:
    """Looked up against exact gradients of input, state and threshold over several steps, in float64."""
    for steps in (1, 2, 4):
        for threshold in (1.0, 0.6):
            check_table(levels, steps, grad, threshold)


def check_table(levels: int, steps: int, grad: str, threshold: float) -> None:
    got = gradients(lambda *a: functional.fire(*a, levels, grad, exact=False), steps, levels, threshold)
    wanted = gradients(lambda *a: functional.fire(*a, levels, grad, exact=True), steps, levels, threshold)
    # each step multiplies an error of 1e-3 by at most |1 - slope| <= 1.25, the weights of the loss are below 4.5
    bound = 1e-3 * 4.5 * (1 + 1 / threshold) * sum(1.25**t for t in range(2 * steps))
    for a, b in zip(got[:2], wanted[:2], strict=True):
        assert float((a - b).abs().max()) < bound
    assert float((got[2] - wanted[2]).abs()) < 300 * steps * levels * bound / 10


@pytest.mark.parametrize("grad", GRADS)
def test_state_alone_passes_gradients(grad: str) -> None:
    """A loss on V only, and one on z only, add up to the gradient of both."""
    charge, v, threshold, weight_z, weight_v = sample(3, 4, 1.0)
    z, last = functional.fire(charge, v, threshold, 4, grad, exact=False)
    leaves = (charge, v, threshold)
    parts = [
        torch.autograd.grad(loss, leaves, retain_graph=True) for loss in ((z * weight_z).sum(), (last * weight_v).sum())
    ]
    both = torch.autograd.grad((z * weight_z).sum() + (last * weight_v).sum(), leaves)
    for one, other, total in zip(*parts, both, strict=True):
        torch.testing.assert_close(one + other, total)


def test_sharp_surrogates_fall_back_to_the_exact_gradient() -> None:
    """alpha Vth = 20: the attached product grows like (a/4 - 1)^N, which no table of 65536 entries follows."""
    assert surrogate.table(10, 20.0, "attached") is None
    x = torch.rand(50, 1, requires_grad=True)
    functional.multilevel(x, None, 1.0, 10, alpha=20.0)[0].sum().backward()
    assert x.grad is not None and bool(x.grad.isfinite().all())
    with pytest.raises(ValueError, match=r"exact=False: .*, got threshold=1\.0, alpha=20\.0, levels=10"):
        functional.multilevel(x, None, 1.0, 10, alpha=20.0, exact=False)


@pytest.mark.parametrize(("levels", "steps"), [(4, 1), (10, 3)])
def test_saves_one_tensor_of_two_bytes_a_neuron(levels: int, steps: int) -> None:
    saved: list[torch.Tensor] = []

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        saved.append(tensor)
        return tensor

    x = torch.randn(50, steps, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda t: t):
        functional.multilevel(x, None, 1.0, levels)
        functional.barrier(x, None, levels)
    assert [(t.dtype, t.numel()) for t in saved] == [(torch.int16, 50 * steps)]


def test_float64_and_many_thresholds_are_exact() -> None:
    """What ``exact=None`` chooses."""
    u = torch.linspace(-1, 5, 1001, dtype=torch.float64).unsqueeze(-1).requires_grad_()
    functional.fire(u, None, 1.0, 4)[0].sum().backward()
    assert torch.equal(u.grad, surrogate.slopes(u.detach(), 4, 5.0, "attached")[0])
    single = u.detach().float().requires_grad_()
    functional.fire(single, None, torch.ones(1001), 4)[0].sum().backward()
    assert torch.equal(single.grad, surrogate.slopes(single.detach(), 4, 5.0, "attached")[0])


def test_several_threads_look_up_the_same() -> None:
    """With one thread the look-up is an index_select, with more a take."""
    x = torch.randn(70_000, 1)
    results = []
    threads = torch.get_num_threads()
    try:
        for n in (1, 2):
            torch.set_num_threads(n)
            leaf = x.clone().requires_grad_()
            functional.multilevel(leaf, None, 1.0, 4)[0].sum().backward()
            results.append(leaf.grad)
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(*results)


def test_barrier_gradients() -> None:
    """Eq 10: dO/dS = 1 wherever S is, and nothing across time; a surrogate's name gives the multi-level gradient."""
    x = torch.tensor([[0.0, 2.0], [0.5, 1.5], [1.75, 0.25]], requires_grad=True)
    v = torch.zeros(3, requires_grad=True)
    weight = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    z, last = functional.barrier(x, v, 4)
    got = torch.autograd.grad((z * weight).sum() + last.sum(), (x, v))
    assert torch.equal(got[0], 4 * weight)
    assert torch.equal(got[1], weight[:, 0])
    for grad in ("attached", "sigmoids", "detached"):
        z, _ = functional.barrier(x, None, 4, grad)
        (got_x,) = torch.autograd.grad(z.sum(), x)
        charge = (4 * x.detach()).requires_grad_()
        (wanted,) = torch.autograd.grad(functional.fire(charge, None, 1.0, 4, grad)[0].sum(), charge)
        torch.testing.assert_close(got_x, 4 * wanted)


def test_barrier_gradients_of_its_own() -> None:
    """ "clip" is autograd's derivative of clip(H, 0, N), "eq9" sigma'(S - 1) with the sum S in units of z/N."""
    x = torch.tensor([[0.0], [0.25], [1.0], [1.25], [2.0]])
    for exact in (True, False):
        leaf = x.clone().requires_grad_()
        functional.barrier(leaf, None, 4, "clip", exact=exact)[0].sum().backward()
        assert leaf.grad.flatten().tolist() == [4, 4, 4, 0, 0]
        leaf = x.clone().requires_grad_()
        functional.barrier(leaf, None, 4, "eq9", alpha=5.0, exact=exact)[0].sum().backward()
        s = torch.sigmoid(5 * (x - 1))
        torch.testing.assert_close(leaf.grad, 4 * 5 * s * (1 - s), rtol=0, atol=4e-3)
    steps = torch.tensor([[1.5, 0.75], [0.5, 0.25]], requires_grad=True)
    functional.barrier(steps, None, 4, "clip")[0][:, 1].sum().backward()  # what a step leaves comes in the next
    assert steps.grad.tolist() == [[0, 0], [0, 4]]
    kept = torch.tensor([[1.5, 0.25]], requires_grad=True)
    functional.barrier(kept, None, 4, "clip")[0][:, 1].sum().backward()
    assert kept.grad.tolist() == [[4, 4]]
    for grad in ("clip", "eq9"):
        with pytest.raises(ValueError, match="grad: expected one of attached, detached, sigmoids, ste, got"):
            functional.fire(x, None, 1.0, 4, grad)
