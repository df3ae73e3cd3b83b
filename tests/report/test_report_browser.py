"""The page in a real browser, where there is one (Debian's package chromium)."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from test_report_page import results  # noqa: F401 (a fixture)

from lava_mlsnn import report

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium here")

PROBE = """<script>
addEventListener("load", () => parent.postMessage([
  document.documentElement.scrollWidth, innerWidth, performance.getEntriesByType("resource").length,
  document.querySelectorAll("data").length, parseInt(getComputedStyle(document.body).fontSize)].join(" "), "*"));
</script>"""

FRAME = """<title>-</title><script>addEventListener("message", e => { document.title = e.data; });</script>
<iframe src="report.html" style="border:0;width:WIDTHpx;height:900px"></iframe>"""
"""A browser's window has a least width that is larger than a phone; a frame has none."""


def browse(page: Path, *arguments: str) -> str:
    command = [str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND"]
    profile = f"--user-data-dir={page.parent / 'profile'}"
    command += ["--hide-scrollbars", profile, *arguments, page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


@pytest.mark.parametrize("width", [320, 390, 1200])
def test_it_fits_the_width_of_a_phone_and_fetches_nothing(results: dict[str, Any], tmp_path: Path, width: int):  # noqa: F811
    html = report.page(results)
    (tmp_path / "report.html").write_text(html.replace("</body>", f"{PROBE}</body>"), encoding="utf-8")
    (tmp_path / "frame.html").write_text(FRAME.replace("WIDTH", str(width)), encoding="utf-8")
    found = re.search(r"<title>([\d ]+)</title>", browse(tmp_path / "frame.html", "--dump-dom"))
    assert found is not None
    scroll, inner, fetched, numbers, size = map(int, found[1].split())
    assert scroll <= inner == width and fetched == 0 and size == 16
    assert numbers == html.count("<data ")


def test_it_prints(results: dict[str, Any], tmp_path: Path):  # noqa: F811
    page = tmp_path / "report.html"
    page.write_text(report.page(results), encoding="utf-8")
    browse(page, f"--print-to-pdf={tmp_path / 'report.pdf'}")
    content = (tmp_path / "report.pdf").read_bytes()
    assert content.startswith(b"%PDF") and 1 <= len(re.findall(rb"/Type\s*/Page\b", content)) <= 8
