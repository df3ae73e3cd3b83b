"""One error at each door, which names the file and which a terminal may show."""

from __future__ import annotations

import errno
import zlib

import pytest

from lava_mlsnn.helpers.doors import OBJECTS, door, printable, reason


class OwnError(ValueError):
    pass


@pytest.mark.parametrize("text", ["plain", "Größe µ 漢字", "a\\b"])
def test_what_a_terminal_shows_stays(text):
    assert printable(text) == text


@pytest.mark.parametrize("text", ["\x1b[2J", "a\rb", "a\nb", "\x9b31m", "\u202e", "\udc80", "\x00", "\u2028", "\ufeff"])
def test_what_a_terminal_obeys_is_escaped(text):
    found = printable(f"before {text} after")
    assert found.isprintable() and found.startswith("before ") and found.endswith(" after") and "\\" in found
    found.encode()


@pytest.mark.parametrize(
    "said",
    [
        "Cannot load file containing pickled data when allow_pickle=False",
        "Weights only load failed. In PyTorch 2.6, we changed the default value of the `weights_only` argument",
        "re-running torch.load with weights_only=False can result in arbitrary code execution",
        "Array can't be memory-mapped: Python objects in dtype.",
    ],
)
def test_advice_to_trust_a_file_is_not_passed_on(said):
    assert reason(RuntimeError(said)) == OBJECTS
    with pytest.raises(ValueError) as found, door("folder/x.npz"):
        raise ValueError(said)
    assert "pickle" not in str(found.value) and "weights_only" not in str(found.value)


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (KeyError("images"), "x.net: damaged: KeyError: 'images'"),
        (zlib.error("bad"), "x.net: damaged: error: bad"),
        (RecursionError("too deep"), "x.net: damaged: RecursionError: too deep"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no"), "x.net: damaged: UnicodeDecodeError: 'utf-8' codec can't"),
        (MemoryError(), "x.net: damaged: it takes more memory than there is"),
        (OSError("truncated"), "x.net: damaged: truncated"),
        (OSError(errno.EINVAL, "seek"), "x.net: damaged: [Errno 22] seek"),
        (ValueError("no layer"), "x.net: no layer"),
        (ValueError("x.net: no layer"), "x.net: no layer"),
        (ValueError("type \x1b[2J"), r"x.net: type \x1b[2J"),
        (OwnError("x.net: layer 1"), "x.net: layer 1"),
    ],
)
def test_whatever_damage_raises_is_one_error_that_names_the_file(raised, said):
    with pytest.raises(ValueError) as found, door("folder/x.net", OwnError):
        raise raised
    assert type(found.value) is OwnError and str(found.value).startswith(said)


@pytest.mark.parametrize(
    "raised",
    [
        FileNotFoundError("no such file"),
        PermissionError(errno.EACCES, "no"),
        OSError(errno.ENOSPC, "full"),
        ImportError("pip install nir"),
        UserWarning("as an error"),
        KeyboardInterrupt(),
    ],
)
def test_what_no_file_can_cause_passes(raised):
    with pytest.raises(type(raised)) as found, door("x.net"):
        raise raised
    assert found.value is raised


def test_the_name_of_a_file_that_is_not_there_is_shown():
    with pytest.raises(FileNotFoundError, match=r"no such file: \\x1b\[2J"), door("\x1b[2J"):
        raise FileNotFoundError("no such file: \x1b[2J")
    with pytest.raises(ValueError, match=r"^\\x1b\[2J: none$"), door("folder/\x1b[2J"):
        raise ValueError("none")
