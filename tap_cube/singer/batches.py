"""Files of records for BATCH messages, which targets load in bulk."""

from __future__ import annotations

import gzip
import os
import typing as t
from contextlib import contextmanager, nullcontext
from itertools import chain, count, islice
from pathlib import Path
from shutil import copyfileobj
from tempfile import SpooledTemporaryFile
from uuid import uuid4

from fsspec.utils import get_protocol  # type: ignore[import-untyped]  # it has no types
from upath import UPath

from tap_cube.errors import OutputError
from tap_cube.logs import escaped
from tap_cube.singer.private_files import make_private_folder, private_file

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from contextlib import AbstractContextManager

    from singer_sdk.helpers._batch import BatchConfig

GZIP_LEVEL = 1
"""The SDK's level 9 takes longer than the load itself and saves few bytes."""

_LOCAL = {"", "file", "local"}
"""Protocols of this machine's folders."""

_MAX_SHOWN = 300

_BLOCK = 64
"""Records compressed in one call."""

_IN_MEMORY = 2**24
"""Bytes of an unfinished file for another machine that are kept in memory, not on disk."""


def batch_files(config: BatchConfig, name: str, records: Iterable[bytes]) -> Iterator[list[str]]:
    """Write records to files, and yield the manifest of each file when it is stored.

    A file gets its name in the storage only when it is complete. Until then it has none, so
    neither an error nor a killed run leaves part of a file behind. In folders of this machine,
    files and new folders are for this user alone.

    Args:
        config: Storage, compression and number of records a file.
        name: Beginning of the files' names.
        records: JSON text of each record, without a line break.

    Yields:
        The URI of one file, in a list.

    Raises:
        OutputError: If a file cannot be stored.
    """
    lines = iter(records)
    is_gzip = config.encoding.compression == "gzip"
    suffix = ".json.gz" if is_gzip else ".json"
    stem = f"{config.storage.prefix or ''}{name}-{uuid4()}"
    place = config.storage.root
    where = f" to '{escaped(place, _MAX_SHOWN)}'" if get_protocol(place) in _LOCAL else ""
    with _storage_errors(where=where):
        root = UPath(config.storage.root, **config.storage.params).resolve()
        folder = (root / stem).parent
        if _is_local(folder):
            make_private_folder(Path(folder.path))
        else:
            folder.mkdir(parents=True, exist_ok=True)
    first = next(lines, None)
    for number in count(1):
        if first is None:
            return
        path = root / f"{stem}-{number}{suffix}"
        with _storage_errors(OSError, where=where), _new_file(path) as file:
            _write(file, chain([first], islice(lines, config.batch_size - 1)), is_gzip=is_gzip)
            # Requesting one more record lets the partition finish, so that the state after its
            # last file has the final bookmark.
            first = next(lines, None)
        yield [path.as_uri()]


def _write(file: t.IO[bytes], lines: Iterator[bytes], *, is_gzip: bool) -> None:
    with (
        gzip.GzipFile(fileobj=file, mode="wb", compresslevel=GZIP_LEVEL)
        if is_gzip
        else nullcontext(file) as out
    ):
        while block := [*islice(lines, _BLOCK)]:
            out.write(b"\n".join([*block, b""]))


def _is_local(path: UPath) -> bool:
    return path.protocol in _LOCAL


def _new_file(path: UPath) -> AbstractContextManager[t.IO[bytes]]:
    """Open a file that is stored when its block ends well."""
    return private_file(Path(path.path)) if _is_local(path) else _spooled_file(path)


@contextmanager
def _spooled_file(path: UPath) -> Iterator[t.IO[bytes]]:
    with SpooledTemporaryFile(_IN_MEMORY) as file:
        yield file
        file.seek(0)
        with _storage_errors(), path.fs.transaction, path.open("wb") as out:
            copyfileobj(file, out)


@contextmanager
def _storage_errors(kind: type[Exception] = Exception, *, where: str = "") -> Iterator[None]:
    """Turn an error of the storage into one sentence.

    Args:
        kind: Which errors come from the storage; by default all, since each has its own.
        where: The folder; nothing for another storage, whose address may be secret.
    """
    try:
        yield
    except kind as error:
        # Not the error's own text, which another machine may have written.
        text = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else None
        if isinstance(error, (ImportError, ValueError)):
            text = f"{error}".rstrip(".")
        msg = (
            f"Batch files could not be written{where}: {text or type(error).__name__}. "
            "Check 'storage' in setting 'batch_config', then run again."
        )
        raise OutputError(msg) from None
