"""The later tutorials run; see test_tutorials_run.py."""

from __future__ import annotations

from pathlib import Path

import pytest
import tutorials_store as store


@pytest.mark.parametrize("path", store.PATHS[6:], ids=store.NAMES[6:])
@pytest.mark.timeout(900)
def test_it_runs_from_top_to_bottom(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store.run(path, tmp_path, monkeypatch)
