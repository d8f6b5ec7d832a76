"""Where batch files may go: the rules of `storage` in the setting `batch_config`."""

from __future__ import annotations

import os
import re
import typing as t
from pathlib import Path

from fsspec import AbstractFileSystem, get_filesystem_class
from fsspec.asyn import AsyncFileSystem
from fsspec.implementations.local import make_path_posix

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PLACES = (
    "give a folder of this machine, such as file:///FOLDER, or an address that begins with "
    "s3://, gs://, az:// or sftp://"
)

_LOCAL = {"", "file", "local"}
_OWN_HOST = re.compile(
    "|localhost|[.]{1,2}|~.*" + ("|[a-z]:.*" if os.name == "nt" else ""), re.IGNORECASE
)

_OF_THIS_PROCESS = {"dask", "dir", "memory"}
"""Storages that make folders, but that no other process can open at the same address."""

_EXTRAS = dict.fromkeys(("s3", "s3a"), "install the tap's extra 's3', tap-cube[s3]")
"""How to install what a storage needs, if an extra of the tap does it."""

_UNREADABLE = re.compile(r"[?]|::")
"""What ends an address for targets: the rest would be a query, or another storage."""

_MAX_NAME = 100
"""Bytes of one part of a prefix: a name has 255, and stream, number and ending need the rest."""


def storage_errors(storage: Mapping[str, t.Any]) -> Iterator[str]:
    """Yield the fault of the root and that of the prefix, if they have one.

    Args:
        storage: An object with `root` and perhaps `prefix`, both text.
    """
    for name, fault in (
        ("root", _root_fault(storage["root"])),
        ("prefix", _prefix_fault(storage.get("prefix", ""))),
    ):
        if fault:
            yield f"Setting 'batch_config': 'storage.{name}' {fault}."


def local_folder(root: str) -> Path | None:
    """The folder of this machine that a root names; None if it names another storage.

    Args:
        root: A path, a `file:` address, or the address of another storage.
    """
    scheme, address = _split(root)
    if scheme not in _LOCAL:
        return None
    path = re.sub("^//((?i:localhost)(?=/))?", "", address) if scheme else address
    return Path(make_path_posix(path)).absolute()  # it also expands `~`


def _split(root: str) -> tuple[str, str]:
    """Return the scheme in lower case, or nothing for a path, and what follows its colon."""
    scheme, colon, address = root.partition(":")
    is_drive = os.name == "nt" and len(scheme) == 1
    if not colon or is_drive or not re.fullmatch(r"[A-Za-z][\w+.-]*", scheme):
        return "", root
    return scheme.lower(), address


def _root_fault(root: str) -> str | None:
    if not root.isprintable() or root != root.strip():
        return "must be one line, without blanks at its ends"
    if _UNREADABLE.search(root):
        return "must not have '?' or '::', since no target could open the files"
    scheme, address = _split(root)
    return _folder_fault(scheme, address) if scheme in _LOCAL else _elsewhere_fault(scheme, address)


def _folder_fault(scheme: str, address: str) -> str | None:
    if address.removeprefix("//").lower() in {"", "localhost"}:
        return f"names no folder: {_PLACES}"
    host = address[2:].partition("/")[0] if scheme and address.startswith("//") else ""
    if not _OWN_HOST.fullmatch(host):
        return f"names another machine after file://: {_PLACES}"
    return None


def _elsewhere_fault(scheme: str, address: str) -> str | None:
    if not address.startswith("//"):
        return f"is neither a folder nor an address: {_PLACES}"
    try:
        kind = get_filesystem_class(scheme)
    except ImportError as error:  # its text says what to install
        remedy = _EXTRAS.get(scheme) or f"{error}".rstrip(".")
        return f"names a storage whose package is missing: {remedy}"
    except ValueError:
        fault = f"{scheme}:// is unknown;"
    else:
        if _keeps_files(scheme, kind):
            return None
        fault = f"targets cannot read what is written to {scheme}://;"
    return f"names a storage that cannot be used: {fault} {_PLACES}"


def _keeps_files(scheme: str, kind: type) -> bool:
    """Whether what is written can be read by another process at the same address.

    Filesystems that only read, or that wrap another one, have no method that makes a folder.
    """
    own = [each for each in kind.__mro__ if each not in {AbstractFileSystem, AsyncFileSystem}]
    makes_folders = any(vars(each).keys() & {"mkdir", "_mkdir"} for each in own)
    return makes_folders and scheme not in _OF_THIS_PROCESS


def _prefix_fault(prefix: str) -> str | None:
    path = Path(prefix)
    if not prefix.isprintable() or _UNREADABLE.search(prefix):
        return "must be printable, without '?' and '::'"
    if path.anchor or ".." in path.parts:
        return "must stay below the root: it may not begin with '/' or have '..'"
    if any(len(part.encode()) > _MAX_NAME for part in path.parts):
        return f"is too long for the name of a file: {_MAX_NAME} bytes are the most"
    return None
