"""Physical constants of the energy models in 45 nm; those of Loihi stand in :mod:`lava_mlsnn.helpers.loihi`."""

from __future__ import annotations

from ..helpers.tables import PICO, Constant, Table, UnpublishedError, table

_45NM = "Horowitz, ISSCC 2014, 45 nm: "

HOROWITZ_INT = table(
    "horowitz2014-int",
    "1",
    "J",
    {
        "add8": (0.03 * PICO, _45NM + "8-bit integer add 0.03 pJ"),
        "mul8": (0.2 * PICO, _45NM + "8-bit integer multiply 0.2 pJ"),
        "add32": (0.1 * PICO, _45NM + "32-bit integer add 0.1 pJ"),
        "mul32": (3.1 * PICO, _45NM + "32-bit integer multiply 3.1 pJ"),
    },
)
"""Integer arithmetic, as the Lemaire model uses it."""

HOROWITZ_FP32 = table(
    "horowitz2014-fp32",
    "1",
    "J",
    {
        "add": (0.9 * PICO, _45NM + "32-bit float add 0.9 pJ ([Yao2023], section 4.2)"),
        "mul": (3.7 * PICO, _45NM + "32-bit float multiply 3.7 pJ"),
        "mac": (4.6 * PICO, _45NM + "multiply 3.7 + add 0.9 pJ ([Yao2023], section 4.2)"),
    },
)
"""Floating-point arithmetic, as [Yao2023] uses it."""

SRAM_REGRESSION = Table(
    "sram-regression",
    "1",
    {
        "base": Constant(13.2 * PICO, "J", "least-squares line through the three points of sram-points, 1 kB = 1000 B"),
        "per_bit": Constant(1.09e-5 * PICO, "J/bit", "slope of the same line, as qualia-plugin-snn 2.6.0 rounds it"),
    },
)
"""Energy of one access to a memory of m words of b bits: base + per_bit * m * b."""

SRAM_POINTS = table(
    "sram-points",
    "1",
    "J",
    {
        "8 KiB": (10 * PICO, _45NM + "64-bit access to 8 KB of SRAM 10 pJ"),
        "32 KiB": (20 * PICO, _45NM + "64-bit access to 32 KB of SRAM 20 pJ"),
        "1 MiB": (100 * PICO, _45NM + "64-bit access to 1 MB of SRAM 100 pJ"),
    },
)
"""The published points behind every SRAM model."""

__all__ = [
    "HOROWITZ_FP32",
    "HOROWITZ_INT",
    "SRAM_POINTS",
    "SRAM_REGRESSION",
    "UnpublishedError",
]
