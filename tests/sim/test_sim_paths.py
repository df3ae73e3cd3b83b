"""The instructions that the engine chooses among: each path that this machine can run gives the reference's numbers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("numba")

from llvmlite import binding, ir

from lava_mlsnn.sim import dot, simd

TESTS = "test_every_width_of_vectors", "test_the_largest_sums_of_16_bits_fit", "test_neurons_of_which_nearly_all_fire"
FEATURES = {
    "generic": "",  # SSE2 on x86-64, NEON on AArch64
    "avx2": "+avx,+avx2,+bmi,+bmi2,+f16c,+fma,+lzcnt,+popcnt,+sse3,+sse4.1,+sse4.2,+ssse3",
    "avxvnni": "+avx,+avx2,+avxvnni,+bmi,+bmi2,+f16c,+fma,+lzcnt,+popcnt,+sse3,+sse4.1,+sse4.2,+ssse3",
    "dotprod": "+dotprod",
    "i8mm": "+dotprod,+i8mm",
}
X86, ARM = "x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"
MEANT = {
    "avx512vnni": (X86, "icelake-server", "vpdpbusd"),
    "avxvnni": (X86, "alderlake", "vpdpbusd"),
    "avx2": (X86, "haswell", "vpmaddubsw"),
    "i8mm": (ARM, "neoverse-v1", "usdot"),
    "dotprod": (ARM, "neoverse-n1", "sdot"),
}
"""Of each instruction of the dense path, a processor that has it, and its name there."""


@pytest.mark.timeout(900)
@pytest.mark.parametrize("path", FEATURES)
def test_every_path_is_the_reference(path, tmp_path):
    missing = [name for name in FEATURES[path].split(",") if name and not simd.has(name.lstrip("+"))]
    if missing:
        pytest.skip(f"this processor lacks {', '.join(missing)}")
    environment = os.environ | {
        "NUMBA_CPU_NAME": "generic",
        "NUMBA_CPU_FEATURES": FEATURES[path],
        "NUMBA_CACHE_DIR": str(tmp_path),
    }
    environment.pop("PYTEST_XDIST_WORKER", None)
    file = Path(__file__).with_name("test_sim_engines.py")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "0"]
    command += [f"{file}::{name}" for name in TESTS]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=800, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert " passed" in done.stdout


@pytest.mark.parametrize("name", dot.INSTRUCTIONS)
def test_each_instruction_is_the_one_that_is_meant(name):
    triple, processor, meant = MEANT[name]
    chosen = dot.INSTRUCTIONS[name]
    module, vector = ir.Module(), ir.VectorType(simd.I32, chosen.lanes)
    sums = vector if chosen.widen is None else ir.VectorType(simd.I16, 2 * chosen.lanes)
    function = ir.Function(module, ir.FunctionType(sums, [sums, vector, vector]), "products")
    builder = ir.IRBuilder(function.append_basic_block())
    builder.ret(chosen.emit(builder, *function.args))
    binding.initialize_all_targets()
    binding.initialize_all_asmprinters()
    target = binding.Target.from_triple(triple).create_target_machine(cpu=processor)
    assert meant in target.emit_assembly(binding.parse_assembly(str(module))).split()


@pytest.mark.parametrize(
    ("processor", "features", "best"),
    [
        ("cortex-a72", "+neon", None),
        ("neoverse-n1", "+neon", "dotprod"),
        ("apple-m1", "", "dotprod"),
        ("neoverse-v1", "+neon", "i8mm"),
        ("neoverse-v1", "-i8mm", "dotprod"),
        ("generic", "+dotprod,+i8mm", "i8mm"),
        ("generic", "+i8mm", None),
    ],
)
def test_what_an_aarch64_has_follows_from_its_name(processor, features, best):
    binding.initialize_all_targets()
    binding.initialize_all_asmprinters()
    found = (name for name in dot.INSTRUCTIONS if simd.compiles_for(name, ARM, processor, features))
    assert next(found, None) == best


def test_the_path_in_bytes_is_taken_where_the_processor_has_it(monkeypatch):
    """A layer at half density, every neuron of which fires with at most 4."""
    import numpy as np

    from lava_mlsnn import sim
    from lava_mlsnn.netx import Connection, Conv, Input, Layer, MultiLevel, NetGraph
    from lava_mlsnn.sim import program

    chosen = dot.instruction()
    if chosen is None:
        pytest.skip("this processor has no instruction for products of bytes")
    conv = Conv(np.ones((16, 8, 3, 3)), padding=1)
    graph = NetGraph(
        Input((8, 6, 6), bits=3), (Layer("a", (Connection("input", conv),), (16, 6, 6), MultiLevel(4, 9)),)
    )
    images = np.random.default_rng(0).integers(0, 5, size=(3, 8, 6, 6))
    pack = program.dot.pack
    monkeypatch.setattr(program.dot, "pack", lambda *args: 0 * pack(*args))  # the sums are zero if these are read
    assert sim.run(graph, images, threads=1).output.sum() == 0
