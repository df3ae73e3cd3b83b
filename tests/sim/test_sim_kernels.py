"""The compiled halves of neurons and synapses: how they are found, checked, compiled and kept in numba's cache."""

from __future__ import annotations

import gc
import itertools
import json
import os
import subprocess
import sys
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("numba")

from lava_mlsnn import sim
from lava_mlsnn.graph.neurons import NEURONS
from lava_mlsnn.netx import INPUT, Connection, Conv, Identity, Input, Layer, MultiLevel, NetGraph
from lava_mlsnn.sim import advance, neurons, program, scatter, synapses
from lava_mlsnn.sim.phase import phase
from lava_mlsnn.sim.program import compile_graph
from lava_mlsnn.sim.synapses import Window


@pytest.mark.parametrize("kind", NEURONS)
def test_a_kernel_has_the_state_of_its_neuron_and_a_value_for_each_parameter(kind):
    layer = Layer("a", (Connection(INPUT, Identity()),), (3, 2, 2), NEURONS[kind].example(3, 2))
    arranged = neurons.arrange(layer)
    assert arranged.kernel.state == layer.neuron.state
    assert list(arranged.values) == list(arranged.kernel.parameters)
    assert all(value.dtype.kind == "i" for value in arranged.values.values())


class _Unknown(MultiLevel):
    kind = "unknown"


NEURONS.pop("unknown")


def _graph(neuron=None, steps=1):
    layer = Layer("a", (Connection(INPUT, Identity()),), (3, 2, 2), neuron or MultiLevel(2, 3))
    return NetGraph(Input((3, 2, 2)), (layer,), steps)


def test_a_neuron_without_a_kernel_is_refused_by_name():
    with pytest.raises(TypeError, match="layer 'a': no kernel for a neuron of type _Unknown"):
        sim.run(_graph(_Unknown(2, 3)), np.zeros((1, 3, 2, 2), int))


def test_kernels_that_do_not_fit_are_refused(monkeypatch):
    monkeypatch.setattr(neurons.kernel, "KERNELS", [])
    monkeypatch.setattr(neurons.kernel, "_ARRANGERS", dict(neurons.kernel._ARRANGERS))
    with pytest.raises(TypeError, match="expected the parameters current, u first"):
        neurons.Kernel(lambda current, v: (current, v), "u")
    kernel = neurons.Kernel(lambda current, u, bias: (current, u), "u")
    with pytest.raises(TypeError, match=r"expected \['bias'\], got \['threshold'\]"):
        kernel(threshold=3)
    neurons.compiles(MultiLevel)(lambda neuron, bias: kernel(bias=bias))
    with pytest.raises(TypeError, match=r"multilevel: expected a kernel with the state \('v',\), got \('u',\)"):
        neurons.arrange(_graph()["a"])


def test_a_table_has_a_row_for_every_step(monkeypatch):
    monkeypatch.setattr(neurons.kernel, "_ARRANGERS", dict(neurons.kernel._ARRANGERS))
    relay = neurons.kernel._ARRANGERS["relay"]
    neurons.compiles(NEURONS["relay"])(lambda neuron, bias: relay(neuron, np.stack([bias, bias])))
    graph = _graph(NEURONS["relay"](), steps=3)
    with pytest.raises(ValueError, match="a parameter with 2 rows: expected one or T = 3"):
        compile_graph(graph, pipelined=False)


def test_the_stamp_of_the_cache_knows_every_kernel_and_its_file(tmp_path):
    file = tmp_path / "kernel_in_a_file.py"

    def stamp(text):
        file.write_text(text)
        found = {}
        exec(compile(text, str(file), "exec"), found)
        return advance._stamp([found["step"]])

    one = stamp("def step(current): return current + 1")
    assert one == stamp("def step(current): return current + 1")
    assert len({one, stamp("def step(current): return current + 2"), advance._stamp([])}) == 3
    assert one != stamp("LIMIT = 3\ndef step(current): return current + 1")


def test_kinds_of_other_packages_are_compiled_and_kept(tmp_path):
    """A fresh cache: the first process compiles, the second one reads. The program compares engine and reference."""
    script = Path(__file__).with_name("sim_new_kind.py")
    root = Path(sim.__file__).parents[2]
    env = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(root)}
    found = []
    for _ in range(2):
        done = subprocess.run([sys.executable, "-W", "ignore", script], env=env, capture_output=True, text=True)
        assert not done.returncode, done.stderr
        found.append(json.loads(done.stdout))
    assert found == [{"hits": 0, "misses": 1}, {"hits": 1, "misses": 0}]


def test_one_entry_serves_all_networks():
    """Nothing is compiled per network, whatever the memory layout of the images."""
    advance.dispatcher()
    sim.run(_graph(), np.zeros((1, 3, 2, 2), np.uint8))
    graph = _graph(steps=2)
    images = np.zeros((2, 2, 3, 2, 2), np.int32).transpose(0, 2, 3, 4, 1)
    images.flags.writeable = False
    sim.run(graph, images)
    sim.Stream(graph, 2).step(np.zeros((3, 2, 2), np.int16))
    (signature,) = advance.dispatcher().signatures
    assert all(array.mutable for array in signature[3:])  # also if the first images were read-only
    assert [len(kernel.signatures) for kernel in scatter.KERNELS] == [0] * len(scatter.KERNELS)  # all are inlined


def test_phases_of_a_layer():
    """Resets of period 3 at depth 2: states are zeroed where step % 3 == (offset + 1 + 2) % 3."""
    for offset in (0, 1, 5):
        ages = [phase(step, 2, 3, offset, 2)[0] for step in range(1, 20)]
        assert [age == 0 for age in ages] == [step % 3 == (offset + 3) % 3 for step in range(1, 20)]
        assert [phase(step, 2, 3, offset, 2)[1] for step in range(1, 20)] == [age % 2 for age in ages]
    assert [phase(step, 2, 0, 7, 4) for step in (1, 3, 8)] == [(1, 2), (3, 0), (8, 1)]


def test_grouped_and_plain_convolutions_lie_differently():
    rng = np.random.default_rng(0)
    plain = synapses.arrange(Conv(rng.integers(-9, 10, (6, 4, 3, 3)), padding=1), (4, 5, 5))
    grouped = synapses.arrange(Conv(rng.integers(-9, 10, (6, 2, 3, 3)), padding=1, groups=2), (4, 5, 5))
    assert (plain.dense, grouped.dense) == (True, False)
    assert (plain.weight.shape, grouped.weight.shape) == ((4, 3, 3, 6), (4, 3, 3, 3))
    wide = synapses.arrange(Conv(rng.integers(-(2**20), 2**20, (6, 4, 3, 3)), padding=1), (4, 5, 5))
    assert (wide.dense, wide.weight.dtype, plain.weight.dtype) == (False, np.int32, np.int8)


def slow_runs(axis: Window, merge: bool) -> list[list[list[int]]]:
    """Of every coordinate, [position of the first tap, number of taps, first output] of its runs, tap by tap."""
    position = {k: i for i, k in enumerate(axis.order() if merge else range(axis.kernel))}
    found = []
    for i in range(axis.n):
        pairs = [(position[k], divmod(i + axis.padding - axis.dilation * k, axis.stride)) for k in range(axis.kernel)]
        here: list[list[int]] = []
        for tap, out in sorted((tap, out) for tap, (out, rest) in pairs if rest == 0 and 0 <= out < axis.out):
            if merge and here and here[-1][0] + here[-1][1] == tap and here[-1][2] + here[-1][1] == out:
                here[-1][1] += 1
            else:
                here.append([tap, 1, out])
        found.append(here)
    return found


@pytest.mark.parametrize("merge", [False, True])
def test_tables_of_taps_are_those_of_the_slow_loop(merge):
    tried = 0
    for n, kernel, stride, padding, dilation in itertools.product(
        (1, 4, 9), (1, 2, 5), (1, 2, 3, 4), (0, 1, 4), (1, 2, 3)
    ):
        out = (n + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
        if out < 1:
            continue
        axis = Window(n, out, kernel, stride, padding, dilation)
        table = axis.table(merge)
        found = [
            [[tap + r * table.tap_step, length, out + r * table.out_step] for r in range(count)]
            for count, length, tap, out in np.stack([table.count, table.length, table.tap, table.out], axis=1).tolist()
        ]
        assert found == slow_runs(axis, merge), axis
        tried += 1
    assert tried > 200


@pytest.mark.parametrize("merge", [False, True])
def test_a_long_convolution_along_either_axis_is_arranged_in_no_time(merge):
    start = time.process_time()
    table = Window(64_000, 63_001, 1000).table(merge)
    assert time.process_time() - start < 1 and (table.length * table.count).sum() == 1000 * 63_001
    assert table.tap.size == 64_000


def test_a_network_is_laid_out_once_while_it_exists(monkeypatch):
    laid_out, lay_out = [], program._Compiler.run
    monkeypatch.setattr(program._Compiler, "run", lambda self: laid_out.append(self.pipelined) or lay_out(self))
    graph, images = _graph(), np.arange(240).reshape(20, 3, 2, 2)
    with ThreadPoolExecutor(8) as pool:
        runs = list(pool.map(lambda _: sim.run(graph, images, threads=1), range(8)))
    assert laid_out == [False] and not any(run.difference(runs[0]) for run in runs)
    sim.Stream(graph)
    sim.run(_graph(), images)  # equal, but another object
    assert laid_out == [False, True, False]
    others = [_graph() for _ in range(program.KEPT)]
    for other in others:
        sim.run(other, images)
    assert len(program._LAID_OUT) == program.KEPT
    sim.run(graph, images)
    assert len(laid_out) == 4 + program.KEPT


def test_what_was_laid_out_goes_with_its_network():
    graph = _graph()
    compile_graph(graph, pipelined=False)
    key, known = (id(graph), False, False), weakref.ref(graph)
    assert key in program._LAID_OUT
    del graph
    gc.collect()
    assert known() is None and key not in program._LAID_OUT
