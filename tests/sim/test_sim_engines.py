"""The fast engine equals the reference: layer by layer, step by step, in batch and in stream mode."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import strategies
import tally
from hypothesis import given, settings

from lava_mlsnn import sim
from lava_mlsnn.netx import INPUT, NetGraph

pytest.importorskip("numba")

ON_CI = settings.default.derandomize
ANY = strategies.Options(late=True)
LEAST = 2000
"""Different graphs that a run on CI compares at least."""


def _examples(on_ci: int) -> settings:
    """So many graphs on CI, a tenth of them elsewhere; more if the profile says so."""
    return settings(deadline=None, max_examples=max(on_ci if ON_CI else on_ci // 10, settings.default.max_examples))


def _run(graph, images, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of 24-bit overflows, which are compared
        return sim.run(graph, images, trace=(INPUT, *(layer.name for layer in graph)), **options)


def _equal(one: sim.Run, other: sim.Run) -> None:
    for name, spikes in one.trace.items():
        assert np.array_equal(spikes, other.trace[name]), name
    assert one.activity == other.activity, one.activity.difference(other.activity)
    assert np.array_equal(one.output, other.output)
    assert one.overflows == other.overflows


def _frames(graph: NetGraph, images: np.ndarray) -> list[np.ndarray]:
    """All samples, T steps each, as a stream."""
    if images.ndim == 4:
        images = np.repeat(images[..., None], graph.timesteps, axis=-1)
    return [sample[..., t] for sample in images for t in range(graph.timesteps)]


@pytest.mark.timeout(900)
@given(strategies.cases(ANY))
@_examples(1500)
def test_fast_is_the_reference(case):
    graph, images = case
    _equal(_run(graph, images, engine="fast", threads=1), _run(graph, images, engine="reference"))
    tally.compared("engine and reference", graph)


@given(strategies.cases(ANY), strategies.st.integers(1, 60))
@_examples(200)
def test_steps_are_copied_out_in_pieces_of_any_size(case, copied):
    graph, images = case
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lava_mlsnn.sim.batch.COPIED", copied)
        fast = _run(graph, images, engine="fast", threads=1)
        untraced = sim.run(graph, images, threads=1) if not fast.overflows else fast
    _equal(fast, _run(graph, images, engine="reference"))
    assert np.array_equal(untraced.output, fast.output)


ALWAYS, NEVER = (0.0, 0.0, 0.0, 0.0), (np.inf, np.inf, np.inf, 0.0)
PATHS = {"events": (NEVER, NEVER), "floats": (ALWAYS, NEVER), "bytes": (NEVER, ALWAYS)}


def _on(path: str, graph, images, **options):
    """The fast engine, on one of its paths wherever that can be taken."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lava_mlsnn.sim.engine.dense_from", lambda: np.array(PATHS[path]))
        return _run(graph, images, engine="fast", threads=1, **options)


@pytest.mark.parametrize("path", ["floats", "bytes"])
@given(strategies.cases(ANY))
@_examples(400)
def test_the_dense_path_is_the_reference(path, case):
    graph, images = case
    fast = _on(path, graph, images)
    _equal(fast, _run(graph, images, engine="reference"))
    tally.compared("engine and reference", graph)


@given(strategies.cases(ANY))
@_examples(400)
def test_fast_stream_is_the_reference_stream(case):
    """Free-running, or with a reset wave that has another period and phase than the samples."""
    graph, images = case
    for interval, offset in ((None, 0), (graph.timesteps, 0), (3, 5)):
        fast = sim.Stream(graph, interval, offset)
        slow = sim.Stream(graph, interval, offset, engine="reference")
        frames = _frames(graph, images)
        for frame in [*frames, *[np.zeros_like(frames[0])] * graph.latency]:
            assert np.array_equal(fast.step(frame), slow.step(frame))
            for name in graph.depth:
                assert np.array_equal(fast[name], slow[name]), (fast.time_step, name)
            assert fast.counts() == slow.counts()
        assert fast.activity == slow.activity, fast.activity.difference(slow.activity)
        assert fast.overflows == slow.overflows
    tally.compared("engine and reference", graph)


@given(strategies.cases(strategies.Options(gated_only=True, late=True)))
@_examples(400)
def test_stream_with_resets_is_batch_mode_shifted_by_depth(case):
    graph, images = case
    run, stream = _run(graph, images, engine="reference"), sim.Stream(graph, graph.timesteps)
    frames, steps, deepest = _frames(graph, images), graph.timesteps, max(graph.depth.values())
    for frame in [*frames, *[frames[0]] * deepest]:
        stream.step(frame)
        for name, depth in graph.depth.items():
            sample, t = divmod(stream.time_step - depth - 1, steps)
            if 0 <= sample < len(images):
                assert np.array_equal(stream[name], run.trace[name][sample, ..., t]), (name, sample, t)
    assert stream.activity == run.activity, stream.activity.difference(run.activity)
    assert stream.overflows == run.overflows
    tally.compared("engine and reference", graph)


def test_so_many_random_graphs_were_compared(request):
    if not (ON_CI and tally.whole_module(request)):
        pytest.skip("only where all tests of this file run with CI's numbers")
    assert tally.count("engine and reference") >= LEAST
    assert tally.kinds("engine and reference") == tally.KINDS


def test_threads_give_the_same_in_the_same_order():
    graph = _wide()
    images = np.random.default_rng(0).integers(0, 256, size=(101, 3, 6, 6))
    _equal(_run(graph, images, threads=2), _run(graph, images, threads=1))
    _equal(_run(graph, images, threads=7), _run(graph, images, engine="reference"))


def _wide() -> NetGraph:
    from lava_mlsnn.netx import Barrier, Connection, Conv, Dense, Identity, Input, Layer, MultiLevel, Readout

    rng = np.random.default_rng(3)

    def weights(*shape):
        return rng.integers(-127, 128, size=shape)

    return NetGraph(
        Input((3, 6, 6)),
        (
            Layer("a", (Connection("input", Conv(weights(70, 3, 3, 3), padding=1)),), (70, 6, 6), MultiLevel(4, 9000)),
            Layer("b", (Connection("a", Conv(weights(70, 70, 3, 3), padding=1)),), (70, 6, 6), MultiLevel(40, 300)),
            Layer("c", (Connection(("a", "b"), Identity()),), (70, 6, 6), Barrier(4)),
            Layer("d", (Connection("c", Dense(weights(10, 70 * 36))),), (10, 1, 1), Readout()),
        ),
        3,
    )


def test_every_width_of_vectors():
    """Wide layers, with channels that fill whole vectors, half of them, and leave some over; dense and sparse."""
    from lava_mlsnn.netx import Connection, Conv, Input, Layer, MultiLevel, NetGraph

    rng = np.random.default_rng(1)
    for channels in (16, 31, 32, 64, 83, 130, 224):
        conv = Conv(rng.integers(-128, 128, size=(channels, 40, 3, 3)), padding=1)
        layer = Layer(
            "a", (Connection("input", conv),), (channels, 5, 6), MultiLevel(9, 1 + rng.integers(0, 999, channels))
        )
        graph = NetGraph(Input((40, 5, 6)), (layer,))
        images = rng.integers(0, np.array([1, 2, 31, 32, 255]).reshape(-1, 1, 1, 1) + 1, size=(5, 40, 5, 6))
        images *= rng.random(images.shape) < np.array([0.1, 0.5, 0.9, 1, 0.3]).reshape(-1, 1, 1, 1)
        for path in PATHS:
            _equal(_on(path, graph, images), _run(graph, images, engine="reference"))


@pytest.mark.parametrize("weight", [-128, 127])
@pytest.mark.parametrize("value", [1, 2, 7, 8, 31, 32, 63, 64, 127, 128, 129, 255])
@pytest.mark.parametrize("path", PATHS)
def test_the_largest_sums_of_16_bits_fit(path, value, weight):
    """All weights extreme, all neurons of a site active with one value: as many products go into 16 bits as may be."""
    from lava_mlsnn.netx import Connection, Conv, Input, Layer, Readout

    conv = Connection("input", Conv(np.full((64, 183, 3, 3), weight), padding=1))
    graph = NetGraph(Input((183, 3, 3)), (Layer("a", (conv,), (64, 3, 3), Readout()),))
    images = np.full((1, 183, 3, 3), value)
    _equal(_on(path, graph, images), _run(graph, images, engine="reference"))


def test_neurons_of_which_nearly_all_fire():
    """Event lists that are full to the last place, and those that lack a few."""
    from lava_mlsnn.netx import Connection, Identity, Input, Layer, Readout, Relay

    relay = Layer("a", (Connection("input", Identity()),), (71, 3, 3), Relay())
    graph = NetGraph(Input((71, 3, 3)), (relay, Layer("b", (Connection("a", Identity()),), (71, 3, 3), Readout())))
    images = np.arange(1, 1 + 71 * 9).reshape(1, 71, 3, 3) % 255 + 1
    images = np.repeat(images, 12, axis=0)
    for k in range(12):
        images[k, -1, -1, 3 - k % 3 :] = images[k, k % 71, 0, 0] = 0
        images[k, :k, 1, 1] = 0
    _equal(_run(graph, images), _run(graph, images, engine="reference"))


@pytest.mark.parametrize("path", PATHS)
def test_layers_so_active_that_they_write_no_lists(path):
    """Of a layer whose readers take bytes the list is left out after an active step; whoever needs it makes it."""
    from lava_mlsnn.netx import Connection, Conv, Identity, Input, Layer, MultiLevel, Readout
    from lava_mlsnn.sim import dot
    from lava_mlsnn.sim.program import compile_graph

    rng, shape = np.random.default_rng(3), (70, 5, 6)
    first, second = (Conv(rng.integers(-128, 128, size=(70, 70, 3, 3)), padding=1) for _ in range(2))
    relay = Layer("a", (Connection("input", Identity()),), shape, MultiLevel(5, 1))
    inner = Layer("b", (Connection("a", first),), shape, MultiLevel(4, 1))
    outer = Layer("c", (Connection("b", second), Connection("a", Identity())), shape, Readout())
    graph = NetGraph(Input(shape), (relay, inner, outer))
    suffices = compile_graph(graph, pipelined=False).tables.nodes["bytes_suffice"]
    assert suffices.tolist() == [1, *[int(dot.instruction() is not None)] * 2, 0]  # the input's goes one to one
    images = rng.integers(1, 9, size=(8, *shape))
    images *= rng.random(images.shape) < np.array([1, 0.02, 0.7, 0.6, 0, 1, 1, 0.3]).reshape(-1, 1, 1, 1)
    _equal(_on(path, graph, images), _run(graph, images, engine="reference"))
    untraced = [sim.run(graph, images, engine=engine, threads=1) for engine in ("fast", "reference")]
    assert np.array_equal(untraced[0].output, untraced[1].output) and untraced[0].activity == untraced[1].activity
    streams = [sim.Stream(graph, 1, engine=engine) for engine in ("fast", "reference")]
    for image in images:
        assert np.array_equal(*(stream.step(image) for stream in streams))
        assert all(np.array_equal(*(stream[name] for stream in streams)) for name in "abc")
        assert streams[0].counts() == streams[1].counts()
