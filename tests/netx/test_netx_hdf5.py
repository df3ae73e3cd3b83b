"""Files of our own: what is saved is what is loaded, and nothing is left behind."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from netx_graphs import graphs

from lava_mlsnn import netx


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(graph=graphs())
def test_round_trip_is_equal(graph):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.net"
        netx.save(graph, path)
        again = netx.load(path)
        assert again == graph
        assert netx.digest(again) == netx.digest(graph)
        assert [p.name for p in Path(folder).iterdir()] == ["x.net"]
