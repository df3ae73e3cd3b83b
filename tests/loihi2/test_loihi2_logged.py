"""Distance of the estimated core counts from those that public compiler logs report."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from lava_mlsnn import loihi2, netx

LOGGED = {"gts/pilotnet_sdnn/network.net": 61, "gts/pilotnet_lif/network.net": 74}
"""Networks that ship with lava-dl, and the cores that Intel's compiler gave them (lava-dl's tutorial outputs)."""


def shipped(name):
    spec = find_spec("lava.lib.dl.netx")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parents[4] / "tests/lava/lib/dl/netx" / name


@pytest.mark.parametrize(("name", "cores"), LOGGED.items())
def test_pilotnet_needs_as_many_cores_as_logged_within_a_fifth(name, cores, capsys):
    found = loihi2.fit(netx.load(shipped(name))).cores
    with capsys.disabled():
        print(f"\n{name}: {found} cores estimated, {cores} logged, {found / cores - 1:+.0%}")
    assert abs(found / cores - 1) <= 0.2
