"""sim.run: what it returns and what it refuses."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from lava_mlsnn import sim
from lava_mlsnn.netx import Barrier, Connection, Conv, Dense, Identity, Input, Layer, MultiLevel, NetGraph, Readout
from lava_mlsnn.sim import batch


def _residual(steps=2):
    """input -> a -> b, (a + b) -> barrier -> readout: a sum of two sources of different depth."""
    conv = Conv(np.ones((2, 2, 3, 3)), padding=1)
    return NetGraph(
        Input((2, 3, 3), bits=2),
        (
            Layer("a", (Connection("input", conv),), (2, 3, 3), MultiLevel(3, 5)),
            Layer("b", (Connection("a", conv),), (2, 3, 3), MultiLevel(3, np.array([3, 4])), np.array([1, -1])),
            Layer("sum", (Connection(("a", "b"), Identity()),), (2, 3, 3), Barrier(4)),
            Layer("out", (Connection("sum", Dense(np.arange(54).reshape(3, 18) % 7 - 3)),), (3, 1, 1), Readout()),
        ),
        steps,
    )


@pytest.fixture
def images():
    return np.random.default_rng(1).integers(0, 4, size=(37, 2, 3, 3))


def test_traces_are_related_as_the_equations_say(images):
    graph = _residual()
    run = sim.run(graph, images, trace=True)
    a, b, total, out = (run.trace[name].astype(int) for name in ("a", "b", "sum", "out"))
    assert total.shape == (37, 2, 3, 3, 2)
    h = (a + b)[..., 0]
    assert np.array_equal(total[..., 0], np.minimum(h, 4))
    assert np.array_equal(total[..., 1], np.minimum(h - total[..., 0] + (a + b)[..., 1], 4))
    weight = graph["out"].synapse.weight
    assert np.array_equal(out[..., 1].reshape(37, 3), total.sum(axis=-1).reshape(37, 18) @ weight.T)
    assert np.array_equal(run.output, out[..., -1].reshape(37, 3))
    assert np.array_equal(run.labels, run.output.argmax(axis=1))


def test_activity_counts_the_traces(images):
    graph = _residual()
    run = sim.run(graph, images, trace=["input", "a", "b", "sum"])
    activity = run.activity
    assert activity.samples == 37
    for name, spikes in run.trace.items():
        assert np.array_equal(activity.events[name], np.count_nonzero(spikes, axis=(0, 1, 2, 3)))
        assert np.array_equal(activity.values[name], spikes.sum(axis=(0, 1, 2, 3)))
    summed = run.trace["a"] + run.trace["b"]
    assert np.array_equal(activity.sites["sum"][0], np.count_nonzero(summed, axis=(0, 1, 2, 3)))
    assert not activity.events["out"].any() and not activity.values["out"].any()


def test_steps_of_an_image_and_of_a_movie_are_the_same(images):
    graph = _residual()
    movie = np.repeat(images[..., None], 2, axis=-1)
    assert np.array_equal(sim.run(graph, images).output, sim.run(graph, movie).output)
    movie[..., 1] = 0
    assert not np.array_equal(sim.run(graph, images).output, sim.run(graph, movie).output)


def test_samples_do_not_see_each_other(images):
    graph = _residual()
    whole = sim.run(graph, images)
    alone = [sim.run(graph, images[i : i + 1]) for i in range(37)]
    assert np.array_equal(whole.output, np.concatenate([run.output for run in alone]))
    assert whole.activity == sum((run.activity for run in alone[1:]), alone[0].activity)


def test_a_network_without_readout_sums_its_spikes(images):
    graph = NetGraph(_residual().input, _residual().layers[:-1], 2)
    run = sim.run(graph, images, trace=["sum"])
    assert np.array_equal(run.output, run.trace["sum"].sum(axis=-1).reshape(37, 18))


def test_recurrent_layers_read_the_step_before():
    layer = Layer(
        "r",
        (Connection("input", Dense([[1]])), Connection("r", Dense([[1]]))),
        (1, 1, 1),
        MultiLevel(100, 1),
    )
    run = sim.run(NetGraph(Input((1, 1, 1)), (layer,), 4), np.ones((2, 1, 1, 1), int), trace=True)
    assert run.trace["r"].tolist() == [[[[[1, 2, 3, 4]]]]] * 2
    assert run.activity.sites["r"].tolist() == [[2, 2, 2, 2], [0, 2, 2, 2]]


def test_overflow_wraps_and_is_reported():
    conv = Connection("input", Conv(np.full((2, 1, 1, 1), 2**16)))
    graph = NetGraph(Input((1, 1, 2)), (Layer("big", (conv,), (2, 1, 2), MultiLevel(1, 1)),), 1)
    with pytest.warns(RuntimeWarning, match=r"24-bit accumulator in layer 'big' \(2 times\)"):
        run = sim.run(graph, np.array([127, 128]).reshape(1, 1, 1, 2), trace=True)
    assert run.overflows == {"big": 2}
    assert run.trace["big"].ravel().tolist() == [1, 0, 1, 0]


def test_no_images_and_progress(images):
    graph, seen = _residual(), []
    run = sim.run(graph, images[:0], trace=True)
    assert run.output.shape == (0, 3) and run.labels.shape == (0,) and run.trace["a"].shape == (0, 2, 3, 3, 2)
    assert run.activity.samples == 0
    sim.run(graph, images, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (37, 37) and seen == sorted(seen)


def test_samples_of_one_step_are_computed_side_by_side(images):
    """So many that a call takes several, some, one; a readout's voltage, sums of spikes, traces, movies."""
    for graph in (_residual(1), NetGraph(Input((2, 3, 3), bits=2), _residual(1).layers[:2], 1)):
        slow = sim.run(graph, images, trace=True, engine="reference")
        for fast in (
            sim.run(graph, images, trace=True, threads=2),
            sim.run(graph, images[..., None], trace=True, threads=1),
        ):
            assert not fast.difference(slow), fast.difference(slow)
            assert np.array_equal(fast.trace["a"], slow.trace["a"]) and fast.activity == slow.activity


@pytest.mark.parametrize(("count", "threads"), [(0, 1), (1, 1), (37, 1), (20, 16), (64, 2), (64, 16), (1000, 3)])
def test_all_threads_have_parts_to_the_end(count, threads):
    parts = list(batch.parts(count, threads))
    sizes = [len(part) for part in parts]
    assert [i for part in parts for i in part] == list(range(count))
    assert sizes == sorted(sizes, reverse=True) and max(sizes, default=0) <= batch.PIECE
    assert sum(size == 1 for size in sizes) >= min(count, threads)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((1, 2, 3, 3)), "expected integers, got dtype float64"),
        (np.zeros((1, 2, 3, 3), bool), "expected integers, got dtype bool"),
        (np.zeros((2, 3, 3), int), r"expected shape \(N, 2, 3, 3\) or \(N, 2, 3, 3, 2\), got \(2, 3, 3\)"),
        (np.zeros((1, 2, 3, 3, 3), int), r"got \(1, 2, 3, 3, 3\)"),
        (np.full((1, 2, 3, 3), 4), r"expected values in 0 .. 3 \(2 bits\), got 4"),
        (np.full((1, 2, 3, 3), -1), "got -1"),
    ],
)
def test_wrong_images_are_refused(images, message):
    with pytest.raises(ValueError, match=message):
        sim.run(_residual(), images)


def test_signed_input_has_the_range_of_twos_complement():
    graph = NetGraph(
        Input((1, 1, 1), bits=3, signed=True), (Layer("a", (Connection("input", Dense([[1]])),), (1, 1, 1), Readout()),)
    )
    assert sim.run(graph, np.array([-4, 3]).reshape(2, 1, 1, 1)).output.ravel().tolist() == [-4, 3]
    with pytest.raises(ValueError, match=r"expected values in -4 .. 3 \(3 bits\), got 4"):
        sim.run(graph, np.full((1, 1, 1, 1), 4))


def test_wrong_requests_are_refused(images):
    graph = _residual()
    with pytest.raises(ValueError, match=r"engine: expected one of .*, got 'quick'"):
        sim.run(graph, images, engine="quick")
    with pytest.raises(ValueError, match="no layer 'c': expected one of input, a, b, sum, out"):
        sim.run(graph, images, trace=["c"])
    for trace in (3, None):
        with pytest.raises(ValueError, match=f"trace: expected True, False or names of layers, got {trace}"):
            sim.run(graph, images, trace=trace)
    with pytest.raises(ValueError, match="trace: no layer 3: expected one of input"):
        sim.run(graph, images, trace=[3])
    with pytest.raises(ValueError, match="threads: expected an integer >= 1, got 0"):
        sim.run(graph, images, threads=0)
    with pytest.raises(ValueError, match="trace=True"):
        _ = sim.run(graph, images).trace


def test_a_layer_that_reads_a_readout_is_refused():
    out = Layer("out", (Connection("input", Dense([[1]])),), (1, 1, 1), Readout())
    after = Layer("after", (Connection("out", Dense([[1]])),), (1, 1, 1), MultiLevel(1, 1))
    with pytest.raises(ValueError, match="layer 'after' reads 'out', a readout that never spikes"):
        sim.run(NetGraph(Input((1, 1, 1)), (out, after)), np.zeros((1, 1, 1, 1), int))


def test_differences_of_two_runs_are_told(images):
    graph = _residual()

    def changed(**changes):
        return replace(sim.run(graph, images, trace=["a", "sum"]), **changes)

    run = changed()
    assert run.difference(changed()) == "" and run.difference(sim.run(graph, images)) == ""
    other = changed()
    other.traces["sum"][3, 1, 0, 2, 1] += 1
    assert run.difference(other).startswith(
        "spikes of layer 'sum': 1 differ, the first at image 3, (c, h, w) (1, 0, 2), st"
    )
    assert "shapes (37, " in run.difference(changed(traces={"a": run.trace["a"][:36]}))
    output = run.output.copy()
    output[5, 1] += 1
    assert run.difference(changed(output=output)).startswith("output of image 5: [")
    assert run.difference(changed(output=output[:2])) == "outputs: shapes (37, 3) and (2, 3)"
    found = run.difference(changed(activity=run.activity + run.activity))
    assert found == "activity: samples: 37 and 74"


@pytest.mark.parametrize(("engine", "steps"), [("fast", 20_000), ("reference", 1000)])
def test_memory_does_not_grow_with_the_timesteps_beyond_what_is_returned(engine, steps):
    wide = Layer("wide", (Connection("input", Dense(np.ones((2000, 1)))),), (2000, 1, 1), MultiLevel(1, 10**6))

    def peak(steps: int) -> int:
        graph, ones = NetGraph(Input((1, 1, 1)), (wide,), steps), np.ones((1, 1, 1, 1), np.uint8)
        sim.run(graph, ones[:0], engine=engine)
        tracemalloc.start()
        try:
            sim.run(graph, ones, engine=engine, threads=1)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    returned = 5 * 8 * steps  # events and values of two, sites of one
    held = 5 * 2**22 if engine == "fast" else peak(10)
    assert peak(steps) < 4 * returned + held < (steps * 2000 if engine == "fast" else 2 * steps * 2000)


def test_what_no_machine_can_return_is_refused_before_it_is_tried():
    graph = replace(_residual(), timesteps=2**30)
    with pytest.raises(
        ValueError, match=r"timesteps: the counts of 1,073,741,824 steps take [\d,]+ bytes, this machine"
    ):
        sim.run(graph, np.zeros((1, 2, 3, 3), np.uint8))
