"""NIR to NetGraph: networks of other libraries, quantized with calibration data."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from os import PathLike
from typing import Any

import numpy as np

from ..graph.graph import Input, NetGraph
from ..graph.neurons import Readout
from ..graph.size import LARGEST, require_size, require_steps
from ..helpers.check import finite, integer, texts
from ..helpers.doors import door
from . import file as nir_file
from .dialects import Dialect, dialect_for
from .map import Floats, require_values
from .walk import Walker


def from_nir(
    path: str | PathLike[str],
    calibration_images: Any,
    *,
    dialect: str | Dialect = "nir",
    weight_bits: int = 8,
    timesteps: int | None = None,
    input_scale: float | None = None,
    input_bits: int = 8,
    membrane_bits: int | None = None,
    labels: Sequence[str] = (),
    largest: int = LARGEST,
    **options: Any,
) -> NetGraph:
    """Read a network of another library from a NIR file into the integers that the engine and Lava compute.

    Conv1d, Conv2d, Linear, Affine, Scale, SumPool2d, AvgPool2d, Flatten and Delay; IF, LIF, CubaLIF and Threshold; I
    and LI at the end, LI also before an IF or LIF; graphs inside graphs; neurons that read themselves through a linear
    node. In a step, current comes before membrane, edges that meet are summed, and a spike takes no time except on its
    way back to its own neurons. A linear node that ends the network becomes its readout.

    **Dialects**. NIR does not carry what libraries disagree on. ``dialect`` says which one wrote the file. It fixes the
    options below; what it cannot know is assumed, with a warning; every option can be given.

    ============  ========  =====================================  ======  ====================================
    dialect       dt        fires, reset                           spikes  leak and gain of the input
    ============  ========  =====================================  ======  ====================================
    nir           1e-4 s    v > threshold, hard                    1       Euler, r dt / tau
    sinabs        1 (step)  v >= threshold, soft                   many    exp(-1 / tau), 1
    snntorch      1e-4 s    v > threshold, soft, one step later    1       Euler, r dt / tau
    spikingjelly  1e-4 s    v >= threshold, hard                   1       Euler, r dt / tau
    norse         1e-3 s    v > threshold, hard                    1       Euler, r dt / tau; writes tau times dt
    rockpool      from r    v >= threshold, soft                   2**16   exp(-dt / tau), 1
    ============  ========  =====================================  ======  ====================================

    **Exact** are sums, averages and wires; weights that are ``weight_bits`` signed bits times a power of two;
    thresholds and biases of any value at T = 1; IF neurons whose thresholds and biases are whole multiples of some part
    of the unit of the weights, whatever their reset; leaks that are powers of two, for as many steps as registers have
    bits.

    **Approximated** are other weights: they are rounded to ``weight_bits`` times a power of two per synapse, the one
    with the smaller squared error of the currents on the calibration images. At T > 1 also other thresholds and biases,
    to the unit of the membrane; leaks, to 23 bits times a power of two; and membranes, to their last bit. A warning
    says by how much a membrane can be off if that is more than 0.001 of a threshold. With ``dialect="nir"``, leaky
    neurons that are reset to zero become Lava's LIF, with decays of 12 bits and one threshold per layer, to which
    weights are scaled. Parameters within 1e-6 of an integer are taken for it, as float32 is.

    Args:
        path: the file.
        calibration_images: (N, C, H, W) or (N, C, H, W, T), integers, or real numbers that ``input_scale`` divides.
            They fix the input's shape and sign, and the scales of weights.
        dialect: "nir", "sinabs", "snntorch", "spikingjelly", "norse" or "rockpool", or a
            :class:`~lava_mlsnn.nir.dialects.Dialect`.
        weight_bits: 2 .. 8.
        timesteps: T; NIR does not say. Only files of :func:`to_nir` need none.
        input_scale: real value of one integer input unit; 1 / 255 for 8-bit pixels of networks trained on 0 .. 1,
            the default; 1 for files of :func:`to_nir` and for spikes.
        input_bits: width of the integer input.
        membrane_bits: width of the registers of leaky neurons in the worst case, 16 .. 32; None: 24, as hardware has,
            or as many more as are needed for membranes that are off by at most 1e-4 of a threshold.
        labels: class names.
        largest: most values of a layer over all calibration images and timesteps, and the limit of
            :func:`lava_mlsnn.netx.load` for the network: a small file can declare a large one.
        **options: of the dialect, see :class:`~lava_mlsnn.nir.dialects.Dialect`: ``dt`` (seconds), ``fires`` (">" or
            ">="), ``reset`` ("hard" or "soft"), ``reset_delay`` (bool), ``max_spikes`` (int, or None for no limit),
            ``leak`` ("euler" or "exp"), ``gain``, ``synapse_gain``, ``readout_gain`` and ``if_gain`` ("nir", "one",
            "keep" or a number), ``min_v_mem`` (float or None), ``start`` ("zero", "leak" or "reset"), ``tau_unit``
            (seconds). For "nir", ``reset="soft"`` also means ``fires=">="`` unless that is given.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not NIR, or holds what has no counterpart: names node and value; an unknown dialect or option.
        MissingPackageError: the package nir is missing.

    Warns:
        UserWarning: what was assumed of the dialect; by how much membranes can be off; neurons that never spike on the
            calibration images; weights that lose bits to a narrow register.
    """
    with door(path):
        graph = nir_file.read(path)
        notes = nir_file.own_notes(graph)
    steps = timesteps if timesteps is not None else notes.get("timesteps")
    if steps is None:
        raise ValueError("timesteps: a NIR file does not say how many steps a sample takes: give timesteps=T")
    steps = integer(steps, "timesteps", 1, 2**31 - 1)
    most = integer(largest, "largest", 1, 2**63 - 1)
    require_steps(steps, most, "from_nir")
    require_values(np.size(calibration_images) if np.ndim(calibration_images) == 4 else 0, steps, most)
    bits = integer(weight_bits, "weight_bits", 2, 8)
    unit = finite((1.0 if notes else 1 / 255) if input_scale is None else input_scale, "input_scale", positive=True)
    source, values = _input(calibration_images, unit, integer(input_bits, "input_bits", 1, 24), steps)
    registers = None if membrane_bits is None else integer(membrane_bits, "membrane_bits", 16, 32)
    with door(path, named=False):
        found_dialect = dialect_for(dialect, graph.nodes, options)
        _warn_of_assumptions(found_dialect, graph.nodes, options)
        layers = Walker(graph, steps, bits, registers, found_dialect, most).run(source, values, unit)
        found = texts(labels, "labels") or tuple(notes.get("labels", ()))
        network = _restore(NetGraph(source, tuple(layers), steps, found), notes)
        require_size(network, most, "from_nir")
        return network


def _restore(graph: NetGraph, notes: dict[str, Any]) -> NetGraph:
    """What NIR has no place for, from a file of ours: the meaning of the input and of the output."""
    layers = list(graph.layers)
    last = layers[-1].neuron
    if "readout_scale" in notes and isinstance(last, Readout):
        layers[-1] = replace(layers[-1], neuron=replace(last, scale=notes["readout_scale"]))
    source = Input(**notes["input"]) if "input" in notes else graph.input
    return replace(graph, input=source, layers=tuple(layers))


def _input(images: Any, unit: float, bits: int, steps: int) -> tuple[Input, Floats]:
    """The network's input, and the calibration images in real numbers, (T, N, C, H, W)."""
    array = np.asarray(images)
    if array.ndim not in (4, 5) or 0 in array.shape or array.dtype.kind not in "iuf":
        raise ValueError(
            f"calibration_images: expected numbers (N, C, H, W) or (N, C, H, W, T), got {array.dtype} {array.shape}"
        )
    if array.ndim == 5 and array.shape[4] != steps:
        raise ValueError(f"calibration_images: expected {steps} timesteps, got shape {array.shape}")
    whole = np.rint(array / unit) if array.dtype.kind == "f" else array.astype(np.float64)
    signed = bool(whole.min() < 0)
    channels, height, width = array.shape[1:4]
    source = Input((channels, height, width), unit, bits, signed)
    if not np.all(np.isfinite(whole)) or np.abs(whole).max() > source.bound:
        raise ValueError(
            f"calibration_images: values {whole.min():g} .. {whole.max():g} in units of {unit:g} do not fit "
            f"input_bits = {bits}"
        )
    frames = whole[..., None].repeat(steps, axis=-1) if array.ndim == 4 else whole
    return source, np.moveaxis(frames, -1, 0) * unit


def _warn_of_assumptions(dialect: Dialect, nodes: dict[str, Any], given: dict[str, Any]) -> None:
    """What nobody said about a file, if its nodes make a difference."""
    kinds = {type(node).__name__ for node in nodes.values()}
    leaky = kinds & {"LIF", "CubaLIF", "LI"}
    matters = {"gain": kinds & {"LIF", "CubaLIF"}, "tau_unit": leaky, "dt": leaky | kinds & {"Delay"}}
    open_ = [o for o in dialect.open if o not in given and matters.get(o, kinds & {"IF", "LIF", "CubaLIF"})]
    if open_:
        said = ", ".join(f"{option} = {getattr(dialect, option)!r}" for option in open_)
        warnings.warn(f"a NIR file of {dialect.name} does not say all: assumed {said}", stacklevel=3)
