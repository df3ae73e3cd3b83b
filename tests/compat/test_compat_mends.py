"""The mends one by one: when they are armed, what they touch, and what they leave alone."""

from __future__ import annotations

import dataclasses
import importlib
import importlib.metadata
import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lava_mlsnn.lava_compat import mends as compat

NUMPY = tuple(int(part) for part in np.__version__.split(".")[:2])


def python(code: str, *options: str) -> str:
    done = subprocess.run([sys.executable, *options, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """Compat as if nothing had been armed, and a directory on sys.path for made-up modules."""
    monkeypatch.setattr(compat, "_armed", None)
    monkeypatch.setattr(compat, "_as_unknown", {})
    monkeypatch.setattr(sys, "meta_path", [f for f in sys.meta_path if not isinstance(f, compat._Finder)])
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("madeup")]:
        del sys.modules[name]


def mend(old: str, new: str, count: int = 1) -> compat.Mend:
    return compat.Mend("X", "a made-up break", lambda: True, (compat.Edit("madeup", old, new, count),))


def test_importing_the_package_loads_nothing_heavy() -> None:
    heavy = "{'numpy', 'torch', 'lava', 'h5py', 'matplotlib', 'numba'}"
    assert python(f"import sys, lava_mlsnn; print({heavy} & sys.modules.keys())") == "set()"


@pytest.mark.skipif(sys.version_info >= (3, 11), reason="Lava's own pins are for Python 3.10")
def test_nothing_is_mended_with_the_pins_of_lava() -> None:
    code = """
import sys, lava_mlsnn
from lava.lib.dl import slayer
import lava.lib.dl.netx.hdf5, lava.magma.core.process.ports.ports, lava.magma.compiler.var_model
assert lava_mlsnn.lava_compat.mends.apply() == ()
assert slayer.obd.bbox, "object_detection works here and stays"
for name, module in list(sys.modules.items()):
    assert not name.startswith("lava.") or "lava_mlsnn" not in type(module.__spec__.loader).__module__, name
print(all("lava_mlsnn" not in type(f).__module__ for f in sys.meta_path), lava_mlsnn.lava_compat.mends.summary())
"""
    touched, line = python(code).splitlines()[-1].split(" ", 1)
    assert touched == "True"
    assert line.endswith("mended at import: nothing")


def test_what_is_armed_follows_python_and_numpy() -> None:
    letters = {mend.letter for mend in compat.apply()}
    assert ("A" in letters) == (sys.version_info >= (3, 11))
    assert ({"B", "C", "D"} <= letters) == (NUMPY >= (2, 4))
    assert ({"B", "C", "D"} & letters == set()) == (NUMPY < (2, 4))
    assert ("F" in letters) == (NUMPY >= (2, 0))


def test_a_second_call_changes_nothing() -> None:
    before = list(sys.meta_path)
    assert compat.apply() is compat.apply()
    assert sys.meta_path == before


def test_every_edit_finds_its_text_in_the_installed_lava() -> None:
    for edit in (edit for mend in compat.MENDS for edit in mend.edits):
        name = "lava-dl" if edit.module.startswith("lava.lib") else "lava-nc"
        path = importlib.metadata.distribution(name).locate_file(edit.module.replace(".", "/") + ".py")
        text = Path(str(path)).read_text(encoding="utf-8")
        assert text.count(edit.old) == edit.count, edit
        assert edit.old.count("\n") == edit.new.count("\n"), "line numbers stay those of the file"


def test_mended_modules_do_what_their_source_says() -> None:
    from lava.magma.compiler import var_model
    from lava.magma.core.process.ports.ports import ReshapePort
    from lava.proc.graded.models import inv_sqrt

    core = var_model.CoreEncoder()
    assert core.x is not core.y or sys.version_info < (3, 11)
    assert dataclasses.asdict(core)["p"] == {"base": 0, "len": 0, "ptr": 0}
    port = ReshapePort(new_shape=(6,), old_shape=(2, 3))
    assert port.get_transform_func_fwd()(np.zeros((2, 3))).shape == (6,)
    assert port.get_transform_func_bwd()(np.zeros(6)).shape == (2, 3)
    assert inv_sqrt(4 << 12) == 2047
    from lava.proc.conv.models import PyConvModelFixed

    assert (PyConvModelFixed.stride.d_type is np.int32) == (NUMPY >= (2, 0))


def test_a_module_is_mended_although_its_bytecode_is_cached(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (fresh / "madeup.py").write_text("value = 1\n\ndef where():\n    raise KeyError\n")
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    importlib.import_module("madeup")
    assert Path(importlib.util.cache_from_source(str(fresh / "madeup.py"))).exists()
    del sys.modules["madeup"]
    monkeypatch.setattr(compat, "MENDS", (mend("value = 1", "value = 2"),))
    compat.apply()
    assert importlib.import_module("madeup").value == 2
    assert (fresh / "madeup.py").read_text().startswith("value = 1")
    assert "a made-up break" in compat.summary()


@pytest.mark.parametrize("text", ["value = 3\n", "value = 1\nvalue = 1\n"])
def test_text_of_another_version_is_left_alone_and_reported(
    fresh: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    (fresh / "madeup.py").write_text(text)
    monkeypatch.setattr(compat, "MENDS", (mend("value = 1", "value = 2"),))
    compat.apply()
    assert importlib.import_module("madeup").value == int(text[-2])
    times = text.count("value = 1")
    assert f"not mended: madeup, 'value = 1' stands there {times} times instead of 1" in compat.summary()


def test_a_module_that_was_imported_before_is_reported(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (fresh / "madeup.py").write_text("value = 1\n")
    importlib.import_module("madeup")
    monkeypatch.setattr(compat, "MENDS", (mend("value = 1", "value = 2"),))
    with pytest.warns(RuntimeWarning, match="madeup is imported already: import lava_mlsnn before lava"):
        compat.apply()
    assert "not mended: madeup, it was imported before lava_mlsnn" in compat.summary()


def test_an_unknown_version_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compat, "KNOWN", {"lava-nc": "0.9.0", "nothing-like-this": "1"})
    assert compat.summary().startswith("lava-nc 0.10.0 (not known; known is 0.9.0), no nothing-like-this, ")


def optional_package(root: Path, text: str) -> None:
    (root / "madeup").mkdir()
    (root / "madeup" / "__init__.py").write_text(text)
    (root / "madeup" / "part.py").write_text("value = 1\n")


def arm_optional(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compat, "_OPTIONAL", "madeup")
    monkeypatch.setattr(compat, "MENDS", (compat.Mend("E", "optional", lambda: True),))
    compat.apply()


def test_an_optional_module_that_works_is_kept(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    optional_package(fresh, "from .part import value\n")
    arm_optional(monkeypatch)
    assert importlib.import_module("madeup").value == 1


@pytest.mark.parametrize("fault", ["import no_such_library", "raise RuntimeError('operator nms does not exist')"])
def test_an_optional_module_that_fails_is_empty_and_says_why(
    fresh: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    optional_package(fresh, f"from .part import value\n{fault}\n")
    arm_optional(monkeypatch)
    module = importlib.import_module("madeup")
    assert not hasattr(module, "value")
    assert "madeup.part" not in sys.modules
    with pytest.raises(AttributeError, match=r"madeup\.value: left out, .*(no_such_library|operator nms)"):
        _ = module.value


def test_slayer_imports_without_cv2() -> None:
    code = """
import sys
sys.modules["cv2"] = None
import lava_mlsnn
from lava.lib.dl import slayer
assert "E" in {mend.letter for mend in lava_mlsnn.lava_compat.mends.apply()}
try:
    slayer.obd.bbox
except AttributeError as error:
    print(error)
"""
    assert "left out, as it cannot be imported here (" in python(code)


def test_mended_classes_pickle_by_name() -> None:
    import cloudpickle
    from lava.magma.compiler.var_model import ByteEncoder, CoreEncoder

    assert cloudpickle.loads(cloudpickle.dumps(CoreEncoder(x=ByteEncoder(1, 2, 3)))).x == ByteEncoder(1, 2, 3)
