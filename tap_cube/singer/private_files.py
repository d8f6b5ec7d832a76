"""Files that only their owner can read, and that are complete or not there."""

from __future__ import annotations

import errno
import os
import typing as t
from contextlib import contextmanager, suppress
from pathlib import Path

if t.TYPE_CHECKING:
    from collections.abc import Iterator

_OWN_FILE, _OWN_FOLDER = 0o600, 0o700

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)

_OPEN_FILES = Path("/proc/self/fd")


def make_private_folder(folder: Path) -> None:
    """Create a folder and its parents, for this user alone; those that exist stay as they are."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        with suppress(FileExistsError):
            each.mkdir(_OWN_FOLDER)
            each.chmod(_OWN_FOLDER)  # whatever the umask


@contextmanager
def private_file(path: Path) -> Iterator[t.IO[bytes]]:
    """Write a file that gets its name when the block ends well, with its content on the disk.

    On Linux it has no name until then, so that even a killed run leaves nothing behind. Elsewhere,
    and in file systems without unnamed files, it is hidden under another name.

    Raises:
        OSError: If it cannot be written, or there is a file of this name.
    """
    part = path.with_name(f".{path.name}.part")
    unnamed = _unnamed(path.parent)
    opened = unnamed or os.fdopen(os.open(part, _NEW, _OWN_FILE), "wb")
    try:
        with opened as file:
            if os.name == "posix":
                os.fchmod(file.fileno(), _OWN_FILE)  # whatever the umask
            yield file
            file.flush()
            os.fsync(file.fileno())
            if unnamed:
                # As open(2) describes. Python follows the link only if it gets `src_dir_fd`.
                link = _OPEN_FILES / str(file.fileno())
                os.link(link, path, src_dir_fd=file.fileno())
        if not unnamed:
            _rename(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _unnamed(folder: Path) -> t.IO[bytes] | None:
    if not hasattr(os, "O_TMPFILE") or not _OPEN_FILES.exists():
        return None
    try:
        return os.fdopen(os.open(folder, os.O_TMPFILE | os.O_WRONLY, _OWN_FILE), "wb")
    except OSError:
        return None


def _rename(part: Path, path: Path) -> None:
    if path.exists():  # made by another run with the same state
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
    part.replace(path)
