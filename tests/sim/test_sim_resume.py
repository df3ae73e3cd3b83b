"""An interrupted evaluation continues where it stopped and ends as if nothing had happened."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import cases

from lava_mlsnn import sim
from lava_mlsnn.netx import Connection, Dense, Input, Layer, MultiLevel, NetGraph


def network(weight=3):
    dense = Connection(("input",), Dense(np.full((4, 6), weight)))
    return NetGraph(Input((6, 1, 1), bits=4), (Layer("a", (dense,), (4, 1, 1), MultiLevel(3, 20)),), timesteps=2)


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 16, (11, 6, 1, 1)).astype(np.uint8)


class StopHereError(Exception):
    pass


def stop_after(count):
    def progress(done, total):
        if done >= count:
            raise StopHereError

    return progress


def test_the_second_call_does_only_what_is_left(tmp_path, images):
    path = tmp_path / "pieces"
    with pytest.raises(StopHereError):
        sim.run_resumable(network(), images, path, piece=3, progress=stop_after(7))
    assert path.exists()
    seen = []
    run = sim.run_resumable(network(), images, path, piece=3, progress=lambda done, total: seen.append((done, total)))
    assert seen[0] == (6, 11)
    assert seen[-1] == (11, 11)
    assert not path.exists()
    whole = sim.run(network(), images)
    np.testing.assert_array_equal(run.output, whole.output)
    assert run.activity.difference(whole.activity) == ""


@pytest.mark.filterwarnings("ignore:sums of synapses left:RuntimeWarning")
@given(case=cases(samples=5), piece=st.integers(1, 6))
@settings(max_examples=25, deadline=None)
def test_pieces_add_up_to_the_whole(tmp_path_factory, case, piece):
    graph, images = case
    run = sim.run_resumable(graph, images, tmp_path_factory.mktemp("pieces") / "p", piece=piece)
    whole = sim.run(graph, images)
    np.testing.assert_array_equal(run.output, whole.output)
    assert run.activity == whole.activity
    assert run.overflows == whole.overflows


def test_pieces_of_another_network_or_other_images_are_refused_and_kept(tmp_path, images):
    path = tmp_path / "pieces"
    with pytest.raises(StopHereError):
        sim.run_resumable(network(), images, path, piece=3, progress=stop_after(7))
    before = path.read_bytes()
    with pytest.raises(ValueError, match="pieces of a run with other network"):
        sim.run_resumable(network(4), images, path)
    with pytest.raises(ValueError, match="pieces of a run with other images"):
        sim.run_resumable(network(), images[::-1], path)
    assert path.read_bytes() == before


def test_a_file_that_is_something_else_is_refused(tmp_path, images):
    path = tmp_path / "pieces"
    path.write_text("hello")
    with pytest.raises(ValueError, match="not the pieces of an interrupted run"):
        sim.run_resumable(network(), images, path)


@pytest.mark.parametrize(("settings_", "message"), [({"trace": True}, "keeps no spikes"), ({"piece": 0}, "piece")])
def test_settings_that_make_no_sense_are_refused(tmp_path, images, settings_, message):
    with pytest.raises(ValueError, match=message):
        sim.run_resumable(network(), images, tmp_path / "p", **settings_)
