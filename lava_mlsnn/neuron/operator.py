"""The multi-level neuron as one operator of torch, which torch.compile takes as it is instead of tracing into it.

Imported while torch.compile traces a neuron, and only then. A neuron with a number as its threshold leaves the graph
whole; the others (a trained threshold, whose value decides what is computed, thresholds per neuron, float64,
``exact=True``, and all of them before torch 2.4) break it and run as they do in eager mode. Eager code itself calls the
autograd functions of :mod:`lava_mlsnn.neuron.kernels`, which cost less per call. An operator may not write into its
input, so ``inplace`` has no effect in a graph.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from . import fused, surrogate
from .memory import Runs, laid_out, matched, runs
from .passes import Rule

__all__ = ["traced"]

_RULE = "float vth, int levels, float gain, float unit, float alpha, str grad, bool state, bool whole"
_BITS = {torch.int16: 16, torch.int32: 32}


def traced(
    eager: Callable[..., tuple[Tensor, Tensor]],
    x: Tensor,
    v: Tensor | None,
    threshold: float | Tensor,
    rule: Rule,
    exact: bool | None,
) -> tuple[Tensor, Tensor]:
    """What the graph holds in the place of ``eager(x, v, threshold, rule, exact)``."""
    bits = 0
    if _OPERATOR is None or isinstance(threshold, Tensor) or exact is True or x.dtype == torch.float64:
        return _break(eager, x, v, threshold, rule, exact)
    if torch.is_grad_enabled() and (x.requires_grad or (v is not None and v.requires_grad)) and not _straight(rule):
        bits = _bits_of_code(rule.levels, rule.alpha * threshold, rule.grad)
        if not bits:
            return _break(eager, x, v, threshold, rule, exact)
    z, last, _ = _OPERATOR(x, v, bits, threshold, *_numbers(rule))
    return z, last


@torch.compiler.disable
def _break(eager: Callable[..., tuple[Tensor, Tensor]], *arguments: Any) -> tuple[Tensor, Tensor]:
    return eager(*arguments)


@torch.compiler.assume_constant_result
def _bits_of_code(levels: int, sharpness: float, grad: str) -> int:
    """Of an entry's number in the table, 0 where there is no table."""
    found = surrogate.table(levels, sharpness, grad)
    return 0 if found is None else _BITS[found.dtype]


def _straight(rule: Rule) -> bool:
    return rule.whole and rule.grad == "ste"


def _numbers(rule: Rule) -> tuple[Any, ...]:
    return rule.levels, rule.gain, rule.unit, rule.alpha, rule.grad, rule.state, rule.whole


def _runs(x: Tensor) -> Runs:
    at = runs(x) or runs(laid_out(x))
    assert at is not None  # laid out
    return at


def _forward(x: Tensor, v: Tensor | None, bits: int, vth: float, *numbers: Any) -> tuple[Tensor, Tensor, Tensor]:
    rule = Rule(*numbers)
    table = surrogate.table(rule.levels, rule.alpha * vth, rule.grad, x.device) if bits else None
    z, last, code = fused.forward(x, v, vth, rule, table)
    at = _runs(x)  # the passes may lay out their results otherwise
    return (
        matched(z, at.strides),
        x.new_empty(0) if last is None else matched(last, at.state_strides),
        x.new_empty(0, dtype=torch.int16) if code is None else matched(code, at.strides),
    )


def _like_forward(x: Tensor, v: Tensor | None, bits: int, vth: float, *numbers: Any) -> tuple[Tensor, Tensor, Tensor]:
    rule = Rule(*numbers)
    at = _runs(x)
    wide = torch.promote_types(x.dtype, torch.float32)
    z = torch.empty_strided(x.shape, at.strides, dtype=x.dtype, device=x.device)
    last = torch.empty_strided(x.shape[:-1], at.state_strides, dtype=wide, device=x.device)
    code = torch.empty_strided(x.shape, at.strides, dtype=torch.int32 if bits == 32 else torch.int16, device=x.device)
    return z, last if rule.state else x.new_empty(0), code if bits else x.new_empty(0, dtype=torch.int16)


def _backward(
    code: Tensor, grad_z: Tensor, grad_v: Tensor | None, need_v: bool, vth: float, *numbers: Any
) -> tuple[Tensor, Tensor]:
    rule = Rule(*numbers)
    table = surrogate.table(rule.levels, rule.alpha * vth, rule.grad, code.device)
    assert table is not None  # forward looked it up
    grad_x, grad, _ = fused.backward(code, grad_z, grad_v, grad_z.dtype, vth, rule, table, need_v, False)
    at = _runs(code)
    return matched(grad_x, at.strides), grad_z.new_empty(0) if grad is None else matched(grad, at.state_strides)


def _like_backward(
    code: Tensor, grad_z: Tensor, grad_v: Tensor | None, need_v: bool, vth: float, *numbers: Any
) -> tuple[Tensor, Tensor]:
    at = _runs(code)
    wide = torch.promote_types(grad_z.dtype, torch.float32)
    grad = torch.empty_strided(code.shape[:-1], at.state_strides, dtype=wide, device=code.device)
    grad_x = torch.empty_strided(code.shape, at.strides, dtype=grad_z.dtype, device=code.device)
    return grad_x, grad if need_v else grad_z.new_empty(0)


def _save(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor, Tensor]) -> None:
    _, v, ctx.bits, ctx.vth, *ctx.numbers = inputs
    ctx.has_state = v is not None
    ctx.save_for_backward(output[2])
    ctx.set_materialize_grads(False)


def _differentiate(ctx: Any, grad_z: Tensor | None, grad_v: Tensor | None, _: None) -> tuple[Tensor | None, ...]:
    (code,) = ctx.saved_tensors
    rule = Rule(*ctx.numbers)
    rest = (None,) * (2 + len(ctx.numbers))
    if _straight(rule):
        if grad_z is None:
            return None, None, *rest
        return grad_z * (rule.gain / rule.unit), grad_z[..., 0] / rule.unit if ctx.has_state else None, *rest
    if grad_z is None:
        grad_z = torch.zeros_like(code, dtype=torch.float32)
    grad_x, grad = _BACKWARD(code, grad_z, grad_v if rule.state else None, ctx.has_state, ctx.vth, *ctx.numbers)
    return grad_x, grad if ctx.has_state else None, *rest


def _register() -> tuple[Any, Any]:
    """The two operators; (None, None) for a torch before 2.4, which cannot register them in Python."""
    custom_op = getattr(torch.library, "custom_op", None)
    if custom_op is None:
        return None, None
    schema = f"(Tensor x, Tensor? v, int bits, {_RULE}) -> (Tensor, Tensor, Tensor)"
    forward = custom_op("lava_mlsnn::fire", _forward, mutates_args=(), schema=schema)
    forward.register_fake(_like_forward)
    schema = f"(Tensor code, Tensor grad_z, Tensor? grad_v, bool need_v, {_RULE}) -> (Tensor, Tensor)"
    backward = custom_op("lava_mlsnn::fire_backward", _backward, mutates_args=(), schema=schema)
    backward.register_fake(_like_backward)
    forward.register_autograd(_differentiate, setup_context=_save)
    return forward, backward


_OPERATOR, _BACKWARD = _register()
