"""Files of records for BATCH messages, which targets load in bulk."""

from __future__ import annotations

import logging
import os
import typing as t
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from shutil import copyfileobj
from tempfile import NamedTemporaryFile, SpooledTemporaryFile

from singer_sdk.helpers._batch import BatchConfig
from upath import UPath

from tap_cube.compression import compressed
from tap_cube.errors import OutputError
from tap_cube.logs import escaped
from tap_cube.singer.loaded_files import count_file, loaded_in, new_mark, next_name
from tap_cube.singer.private_files import make_private_folder, private_file
from tap_cube.storage_rules import local_folder

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from singer_sdk.helpers._batch import StorageTarget
    from singer_sdk.helpers.types import TapState

_LOGGER = logging.getLogger("tap-cube")

_MAX_SHOWN = 300

_BLOCK = 64
"""Records compressed in one call."""

_IN_MEMORY = 2**24
"""Bytes of an unfinished file for another machine that are kept in memory, not on disk."""


def check_storage(config: Mapping[str, t.Any], *, is_first_run: bool) -> None:
    """Make the folder of the batch files, see that files can be made in it, and say who loads them.

    Args:
        config: All settings of the tap.
        is_first_run: Whether there is no state, so that the target may be new. Then it is a warning
            who loads the files.

    Raises:
        OutputError: If that is not so.
    """
    if not (given := config.get("batch_config")):
        return
    storage = BatchConfig.from_dict(given).storage
    folder = _path_of(storage, "tap-cube").parent
    if _is_local(folder):
        with _storage_errors(storage):
            NamedTemporaryFile(dir=folder.path, prefix=".").close()
    _LOGGER.log(
        logging.WARNING if is_first_run else logging.INFO,
        "Setting 'batch_config': of the tested targets only target-postgres (MeltanoLabs) loads "
        "these files. Others fail, or lose the records without an error (docs/targets.md).",
    )


def batch_files(
    config: BatchConfig, stream: str, state: TapState, records: Iterable[bytes]
) -> Iterator[list[str]]:
    """Write records to files, and yield the manifest of each file when it is stored.

    A file gets its name in the storage only when it is complete. Until then it has none, so
    neither an error nor a killed run leaves part of a file behind. In folders of this machine,
    files and new folders are for this user alone.

    Args:
        config: Storage, compression and number of records a file.
        stream: Name of the stream, for the files' names.
        state: The tap's state, which counts the files in folders of this machine.
        records: JSON text of each record, without a line break.

    Yields:
        The URI of one file, in a list.

    Raises:
        OutputError: If a file cannot be stored.
    """
    lines = iter(records)
    is_gzip = config.encoding.compression == "gzip"
    suffix = ".json.gz" if is_gzip else ".json"
    beginning = _path_of(config.storage, f"tap-cube--{stream}-")
    numbers = loaded_in(state) if _is_local(beginning) else new_mark()
    first = next(lines, None)
    while first is not None:
        path = beginning.with_name(f"{beginning.name}{next_name(numbers)}{suffix}")
        with _storage_errors(config.storage, OSError), _new_file(path) as file:
            _write(file, chain([first], islice(lines, config.batch_size - 1)), is_gzip=is_gzip)
            # Requesting one more record lets the partition finish, so that the state after its
            # last file has the final bookmark.
            first = next(lines, None)
        count_file(numbers)
        yield [path.as_uri()]


def _path_of(storage: StorageTarget, name: str) -> UPath:
    """Make the folder of the files whose names begin like this, and return this beginning.

    Its address has no escapes such as `%20`, which targets do not decode.
    """
    with _storage_errors(storage):
        place = local_folder(storage.root)
        root = (
            UPath(storage.root, **storage.params).resolve()
            if place is None
            else UPath(place, protocol="file", **storage.params)
        )
        path = root / f"{storage.prefix or ''}{name}"
        if _is_local(path):
            make_private_folder(Path(path.parent.path))
        elif path.drive:  # it needs no folders, and `mkdir` would make a bucket of a misspelt name
            _check_bucket(path)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _check_bucket(path: UPath) -> None:
    if not path.fs.exists(path.drive):
        msg = (
            "Batch files could not be written: the bucket in 'storage.root' does not exist, or "
            "'storage.params' and credentials do not reach it. Make it, or check 'storage' in "
            "setting 'batch_config', then run again."
        )
        raise OutputError(msg)


def _write(file: t.IO[bytes], lines: Iterator[bytes], *, is_gzip: bool) -> None:
    blocks = _blocks(lines)
    for part in compressed(blocks) if is_gzip else blocks:
        file.write(part)


def _blocks(lines: Iterator[bytes]) -> Iterator[bytes]:
    while block := [*islice(lines, _BLOCK)]:
        yield b"\n".join([*block, b""])


def _is_local(path: UPath) -> bool:
    return path.protocol == "file"


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
def _storage_errors(
    storage: StorageTarget | None = None, kind: type[Exception] = Exception
) -> Iterator[None]:
    """Turn an error of the storage into one sentence.

    Args:
        storage: The storage to name, if it is a folder; another one's address may be secret.
        kind: Which errors come from the storage; by default all, since each has its own.
    """
    try:
        yield
    except OutputError:
        raise
    except kind as error:
        # Not the error's own text, which may show an address, or what another machine sent.
        text = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else None
        folder = storage.root if storage and local_folder(storage.root) else ""
        where = f" to '{escaped(folder, _MAX_SHOWN)}'" if folder else ""
        msg = (
            f"Batch files could not be written{where}: {text or type(error).__name__}. "
            "Check 'storage' in setting 'batch_config', then run again."
        )
        raise OutputError(msg) from None
