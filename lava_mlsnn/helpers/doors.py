"""Doors: what a damaged file makes of its reader becomes one error that names the file and is safe to print."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from .check import path_name

_OF_DAMAGE = {None, errno.EINVAL, errno.ENOMEM, errno.EOVERFLOW, errno.EFBIG, errno.ENAMETOOLONG, errno.ELOOP}
"""Numbers of an OSError that a damaged file causes: none, or those of a name, place or size that makes no sense."""

_ADVICE = re.compile(r"allow_pickle|weights_only|pickled|Python objects|arbitrary code")
"""In sentences of numpy and torch that advise to trust a file."""

OBJECTS = "Python objects, or another kind of file"
"""What is said in their place."""


def printable(text: str) -> str:
    r"""Text with everything escaped that a terminal would obey rather than show.

    Example:
        >>> print(printable("conv\x1b[2J"))
        conv\x1b[2J
    """
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def reason(error: BaseException) -> str:
    """What an error says, in one line, without the advice to trust the file.

    Example:
        >>> reason(ValueError("Cannot load file containing pickled data when allow_pickle=False"))
        'Python objects, or another kind of file'
    """
    if isinstance(error, MemoryError):
        return "it takes more memory than there is"
    said = " ".join(str(error).split()) or type(error).__name__
    return OBJECTS if _ADVICE.search(said) else printable(said[:500])


@contextmanager
def door(path: str | os.PathLike[str], kind: type[ValueError] = ValueError, *, named: bool = True) -> Iterator[None]:
    """Around a reader of ``path``: whatever a damaged file makes of it is raised as ``kind``.

    A ``kind`` or plain ValueError keeps its words, and gets the file's name in front if it has none (``named``). What
    no file can cause passes: a file that is not there or may not be read, a full disk, a missing package, warnings.

    Example:
        >>> with door("folder/x.npz"):
        ...     {}["images"]
        Traceback (most recent call last):
        ValueError: x.npz: damaged: KeyError: 'images'
    """
    name = printable(os.path.basename(os.path.normpath(path_name(path))))
    try:
        yield
    except (ImportError, Warning):
        raise
    except (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError) as error:
        if str(error).isprintable():
            raise
        raise type(error)(printable(str(error))) from None
    except OSError as error:
        if error.errno not in _OF_DAMAGE:
            raise
        raise kind(f"{name}: damaged: {reason(error)}") from error
    except Exception as error:
        if isinstance(error, kind) or type(error) is ValueError:
            said = printable(str(error))
            if "allow_pickle" in said or "weights_only" in said:
                said = f"{name}: {OBJECTS}"
            clean = said if not named or name in said else f"{name}: {said}"
            if isinstance(error, kind) and clean == str(error):
                raise
            raise kind(clean) from error
        what = reason(error) if isinstance(error, MemoryError) else f"{type(error).__name__}: {reason(error)}"
        raise kind(f"{name}: damaged: {what}") from error
