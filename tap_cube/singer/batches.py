"""Files of records, for targets that load them in bulk (BATCH messages)."""

from __future__ import annotations

import gzip
import typing as t
from contextlib import contextmanager, nullcontext
from itertools import chain, count, islice
from shutil import copyfileobj
from tempfile import SpooledTemporaryFile
from uuid import uuid4

from upath import UPath

from tap_cube.errors import CubeError

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from singer_sdk.helpers._batch import BatchConfig

FAST = 1
"""Level of compression: the SDK's 9 costs more time than the load itself, for few bytes less."""

_BLOCK = 64
"""Records that are compressed in one call."""

_IN_MEMORY = 2**24
"""Bytes of a file that wait in memory for its end; more wait on disk."""


def batch_files(config: BatchConfig, name: str, records: Iterable[bytes]) -> Iterator[list[str]]:
    """Write records to files, and yield the manifest of each file when it is closed.

    A file goes to the storage when it is whole; one that an error cuts short never does. What
    waits until then is nowhere that a killed run could leave it.

    Args:
        config: Storage, compression and number of records a file.
        name: Begin of the files' names.
        records: JSON text of each record.

    Raises:
        CubeError: If the storage takes no file.
    """
    lines = iter(records)
    is_packed = config.encoding.compression == "gzip"
    ending = ".json.gz" if is_packed else ".json"
    stem = f"{config.storage.prefix or ''}{name}-{uuid4()}"
    with _storage_errors():
        root = UPath(config.storage.root, **config.storage.params).resolve()
        (root / stem).parent.mkdir(parents=True, exist_ok=True)
    first = next(lines, None)
    for number in count(1):
        if first is None:
            return
        path = root / f"{stem}-{number}{ending}"
        with SpooledTemporaryFile(_IN_MEMORY) as file:
            _write(file, chain([first], islice(lines, config.batch_size - 1)), is_packed=is_packed)
            # Only who asks for more hears that a source has ended, which its last state tells.
            first = next(lines, None)
            with _storage_errors():
                _store(file, path)
        yield [path.as_uri()]


def _write(file: t.IO[bytes], lines: Iterator[bytes], *, is_packed: bool) -> None:
    with (
        gzip.GzipFile(fileobj=file, mode="wb", compresslevel=FAST)
        if is_packed
        else nullcontext(file) as out
    ):
        while block := [*islice(lines, _BLOCK)]:
            out.write(b"\n".join([*block, b""]))


def _store(file: t.IO[bytes], path: UPath) -> None:
    file.seek(0)
    with path.fs.transaction, path.open("wb") as out:
        copyfileobj(file, out)


@contextmanager
def _storage_errors() -> Iterator[None]:
    """Tell an error of the storage in one sentence, without its address, which may be secret."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - every storage has errors of its own
        text = error.strerror if isinstance(error, OSError) else None
        if isinstance(error, (ImportError, ValueError)):
            text = f"{error}".rstrip(".")
        msg = (
            f"Batch files could not be written: {text or type(error).__name__}. "
            "Look at 'storage' in setting 'batch_config', run again."
        )
        raise CubeError(msg) from None
