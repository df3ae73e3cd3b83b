"""What the Lemaire model leaves open, as one small object: word width, memories, and the published variants."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

from ..helpers.check import finite, integer
from . import arithmetic, sram

CHOICES: dict[str, tuple[str, ...]] = {
    "sram": tuple(sram.MODELS),
    "ops": arithmetic.RULES,
    "addressing": ("text", "table"),
    "conv_addressing": ("qualia", "lemaire"),
    "fc_addressing": ("qualia", "lemaire"),
    "weight_memory": ("layer", "filter", "filter_out", "with_bias"),
    "first_layer": ("once", "ann"),
    "updates": ("every_step", "once"),
    "grouped": ("divided", "full"),
    "pool": ("free", "charged"),
    "strided": ("exact", "published"),
}
"""Accepted values of each option that is a word."""

_KEYWORD_ALIASES = {
    "mem_width_bits": "bits",
    "fifo_size_elements": "fifo",
    "sram_estimation_type": "sram",
    "op_estimation_type": "ops",
    "e_add_J": "e_add",
    "e_mul_J": "e_mul",
}
_VALUE_ALIASES: dict[str, dict[Any, str]] = {
    "sram": {"old": "regression", "new": "bus"},
    "ops": {None: "width", "ICONIP": "iconip"},
}


@dataclass(frozen=True)
class Options:
    """Options of the Lemaire model; every default but ``strided`` is what qualia-plugin-snn 2.6.0 does.

    Args:
        bits: width b of every stored word, 1 .. 64.
        fifo: depth F of the event queue between two layers, in words.
        sram: energy of a memory access, see :mod:`lava_mlsnn.energy.sram`. Qualia's names "old"
            (regression) and "new" (bus) are accepted.
        ops: energy of an operation at b bits, see :mod:`lava_mlsnn.energy.arithmetic`. None means "width".
        addressing: "text": the N of a multi-level spike enters the synaptic ACCs only ([Castagnetti2025], section 5.3);
            "table": it also multiplies the ACCs of addressing, as the addressing rows of Tables 3 and 4 imply.
        conv_addressing: ACCs per event, "qualia": K; "lemaire": Cout K / groups (Eq 16.3).
        fc_addressing: "qualia": ANN Nin Nout, SNN events / Nin * Nout; "lemaire": ANN Nin + Nout, SNN events * Nout.
        weight_memory: words of the memory that a weight is read from: "layer": all weights of the layer; "filter": the
            Cin K / groups weights of one output channel (what Tables 3 and 4 imply); "filter_out": the Cout K / groups
            weights that one event reads; "with_bias": weights and biases in one memory (spikingjelly).
        first_layer: analog first layer, "once": MACs of the non-zero inputs of one timestep; "ann": dense ANN formulas.
        updates: bias reads and the per-neuron part of the potential accesses happen "every_step" (T times) or "once"
            (as Lemaire et al. and Qualia 2.0.0 count them).
        grouped: grouped convolution, "divided": an event reaches Cout / groups channels; "full": groups are
            ignored, as Qualia does, except in the size of the weight memory.
        pool: "free" (no energy, as Qualia) or "charged": extension, a sum pool as a depthwise synapse without weights.
        e_add, e_mul: joules of an addition and a multiplication, instead of what ``ops`` gives.
        strided: what an event costs in a kernel, "exact": the positions that it reaches, borders respected;
            "published": all K positions of the kernel, whatever the stride, as Lemaire et al. and Qualia count
            (:mod:`lava_mlsnn.energy.counts`).

    Raises:
        ValueError: a value that is not accepted: names the option, the value and what would be.

    Example:
        >>> Options(sram="piecewise").access(8192)  # 16 KiB
        1.3333333333333333e-11
        >>> Options(sram="linear")
        Traceback (most recent call last):
        ValueError: sram: expected one of regression, piecewise, bus, got 'linear'
    """

    bits: int = 16
    fifo: int = 1000
    sram: str = "regression"
    ops: str = "width"
    addressing: str = "text"
    conv_addressing: str = "qualia"
    fc_addressing: str = "qualia"
    weight_memory: str = "layer"
    first_layer: str = "once"
    updates: str = "every_step"
    grouped: str = "divided"
    pool: str = "free"
    e_add: float | None = None
    e_mul: float | None = None
    strided: str = "exact"

    def __post_init__(self) -> None:
        for name, names in _VALUE_ALIASES.items():
            value = getattr(self, name)
            if value is None or isinstance(value, str):
                object.__setattr__(self, name, names.get(value, value))
        for name, accepted in CHOICES.items():
            if getattr(self, name) not in accepted:
                raise ValueError(f"{name}: expected one of {', '.join(accepted)}, got {getattr(self, name)!r}")
        object.__setattr__(self, "bits", integer(self.bits, "bits", 1, sram.BUS_BITS))
        object.__setattr__(self, "fifo", integer(self.fifo, "fifo", 0))
        for name in ("e_add", "e_mul"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, finite(value, name, low=0))
        _ = self.operations

    @property
    def operations(self) -> arithmetic.Operations:
        """Joules of an addition and a multiplication at this width."""
        if self.e_add is not None and self.e_mul is not None:
            return arithmetic.Operations(self.e_add, self.e_mul)
        found = arithmetic.operations(self.bits, self.ops)
        return arithmetic.Operations(
            found.add if self.e_add is None else self.e_add, found.mul if self.e_mul is None else self.e_mul
        )

    def access(self, words: float) -> float:
        """Joules of one access to a memory of ``words`` words."""
        return sram.access(words, self.bits, self.sram)

    def but(self, **changes: Any) -> Options:
        """A copy with some options changed; Qualia's configuration names (``mem_width_bits``, ...) are accepted.

        Raises:
            ValueError: unknown option or value.

        Example:
            >>> Options().but(sram_estimation_type="new", mem_width_bits=8) == Options(sram="bus", bits=8)
            True
        """
        renamed = {_KEYWORD_ALIASES.get(name, name): value for name, value in changes.items()}
        if len(renamed) != len(changes):
            raise ValueError(f"an option is given twice, under two names: {', '.join(changes)}")
        for name in changes:
            if name not in NAMES:
                raise ValueError(f"unknown option {name!r}: expected one of {', '.join(NAMES)}")
        return replace(self, **renamed)


NAMES = (*(f.name for f in fields(Options)), *_KEYWORD_ALIASES)
"""Accepted names of options, Qualia's included."""

PRESETS: dict[str, Options] = {
    "qualia": Options(strided="published"),
    "lemaire": Options(
        conv_addressing="lemaire", fc_addressing="lemaire", first_layer="ann", updates="once", strided="published"
    ),
    "spikingjelly": Options(
        bits=32,
        sram="piecewise",
        conv_addressing="lemaire",
        fc_addressing="lemaire",
        first_layer="ann",
        weight_memory="with_bias",
        strided="published",
    ),
    "paper000_tables": Options(
        addressing="table", fc_addressing="lemaire", weight_memory="filter", strided="published"
    ),
}
"""Named sets of options, all with the published counting: the published code, the paper of the metric as others quote
it, spikingjelly 2.0's reading of it, and what Tables 3 and 4 of [Castagnetti2025] imply.

Warning:
    "spikingjelly" follows that library in the choices that are options here; it charges no bias ACC where a layer has
    no bias, which has no option.
"""


def resolve(options: Options | str | None, **changes: Any) -> Options:
    """Options from an object, the name of a preset, or None (defaults), with changes applied.

    Raises:
        ValueError: unknown preset, option or value.

    Example:
        >>> resolve("paper000_tables", bits=8).weight_memory
        'filter'
    """
    if options is None:
        options = Options()
    if isinstance(options, str):
        if options not in PRESETS:
            raise ValueError(f"options: expected one of {', '.join(PRESETS)}, got {options!r}")
        options = PRESETS[options]
    if not isinstance(options, Options):
        raise ValueError(f"options: expected Options or one of {', '.join(PRESETS)}, got {options!r}")
    return options.but(**changes)
