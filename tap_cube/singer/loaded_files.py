"""Names of batch files, and the removal of those that a target has loaded.

Targets load batch files and leave them. They hold personal data, so the tap removes them in a
later run. The state says which ones a target has loaded, since a target gives a state back only
when it has loaded all that came before::

    {"bookmarks": {...}, "batch_files": {"5f0c2a9e41d7b386": [12, 40]}}

The name of a file has the mark of its pipeline, a random text that its state keeps, then the
number of the run and that of the file. With this state, the next run removes the files of the mark
up to the 40th of run 12. Its own are ``tap-cube--STREAM-5f0c2a9e41d7b386-13-1.json.gz`` and so on,
and its states begin with ``[13, 0]``. Files of run 12 after the 40th were not loaded, so run 13
sends their rows again. Once a target has given back a state of run 13, they are removed, too.

Nothing else is ever removed: no file of another mark, no link, nothing in another folder. A run
without a state takes a new mark. Meltano merges the state of a full refresh over the one before,
so a state may have several marks.
"""

from __future__ import annotations

import logging
import os
import re
import time
import typing as t

from tap_cube.logs import escaped
from tap_cube.singer.versions import MONTH
from tap_cube.storage_rules import local_folder

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from singer_sdk.helpers.types import TapState

BATCH_FILES: t.Final = "batch_files"
"""Key of the state that has the run and the number of the last file that it covers, by mark."""

Loaded: t.TypeAlias = "dict[str, list[int]]"
"""What the state has at `BATCH_FILES`."""

_LOGGER = logging.getLogger("tap-cube")

_MARK = re.compile("[0-9a-f]{16}")

_MAX_NUMBER = 10**15

# With any prefix, as the mark is enough. A killed run may leave a hidden file, which ends in .part.
_NAME = re.compile(
    r".*tap-cube--\w+-(?:([0-9a-f]{16})-([0-9]{1,15})-([0-9]{1,15})|[^.]+)"
    r"[.]json(?:[.]gz)?(?:[.]part)?"
)


class _File(t.NamedTuple):
    """A batch file in the folder; its mark is empty if this version of the tap did not name it."""

    path: Path
    mark: str
    place: list[int]


def new_mark() -> Loaded:
    """What the state has at `BATCH_FILES` in the first run with a mark."""
    return {os.urandom(8).hex(): [1, 0]}


def loaded_in(state: TapState) -> Loaded:
    """What a state has at `BATCH_FILES`, with a new mark if it had none."""
    return t.cast("dict[str, Loaded]", state).setdefault(BATCH_FILES, new_mark())


def next_name(loaded: Loaded) -> str:
    """The end of the next file's name, without its suffix. Files are written one at a time."""
    mark = min(loaded)
    run, number = loaded[mark]
    return f"{mark}-{run}-{number + 1}"


def count_file(loaded: Loaded) -> None:
    """Count a file whose message comes before the next state."""
    loaded[min(loaded)][1] += 1


def begin_run(config: Mapping[str, t.Any], state: TapState) -> None:
    """Remove the files that were loaded by the state, and number those of a run.

    What cannot be removed is a warning, and stays until the next run.

    Args:
        config: All settings of the tap. If they name no folder of this machine for batch files,
            nothing happens.
        state: The tap's state, as it was given.
    """
    storage = (config.get("batch_config") or {}).get("storage")
    if not storage or not (root := local_folder(storage["root"])):
        return
    folder = (root / f"{storage.get('prefix') or ''}-").parent
    where = escaped(str(folder))
    loaded = _checked(state.get(BATCH_FILES, {}), where)
    try:
        files = [*_batch_files(folder)]
    except OSError as error:
        _LOGGER.warning(
            "Batch files in '%s' cannot be listed: %s. They hold personal data: remove them after "
            "each load.",
            where,
            error.strerror,
        )
        loaded, files = {}, []  # a new mark, since any number of this one may be taken
    own = [each for each in files if each.mark in loaded]
    left = [each for each in own if each.place > loaded[each.mark]]
    left += _removed([each for each in own if each.place <= loaded[each.mark]], where)
    _warn_of_old([each.path for each in files if each.mark not in loaded], where)
    for mark, place in loaded.items():
        last = max([place[0], *(each.place[0] for each in left if each.mark == mark)])
        loaded[mark] = [last + 1, 0]
    # A mark that has no file any more is forgotten, but one to go on with.
    marks = {each.mark for each in left} or {*sorted(loaded)[:1]}
    kept = {mark: loaded[mark] for mark in marks} or new_mark()
    t.cast("dict[str, Loaded]", state)[BATCH_FILES] = kept


def _checked(loaded: object, where: str) -> Loaded:
    """Return what is sound of this part of a state; files of other marks stay."""
    marks = loaded.items() if isinstance(loaded, dict) else ()
    sound = {mark: place for mark, place in marks if _MARK.fullmatch(mark) and _is_place(place)}
    if sound != loaded:
        _LOGGER.warning(
            "'%s' of the state is damaged and is ignored. Remove the files that were loaded from "
            "'%s'.",
            BATCH_FILES,
            where,
        )
    return sound


def _is_place(place: object) -> bool:
    numbers = place if isinstance(place, list) else ()
    return [type(each) is int and 0 <= each < _MAX_NUMBER for each in numbers] == [True, True]


def _batch_files(folder: Path) -> Iterator[_File]:
    """Yield the plain files of a folder whose whole name is that of a batch file."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if (name := _NAME.fullmatch(entry.name)) and entry.is_file(follow_symlinks=False):
                mark, *place = name.groups()
                yield _File(folder / entry.name, mark or "", [int(each or 0) for each in place])


def _removed(files: Sequence[_File], where: str) -> list[_File]:
    """Remove files, and return those that are still there."""
    left, reason = [], ""
    for file in files:
        try:
            file.path.unlink(missing_ok=True)
        except OSError as error:
            left.append(file)
            reason = error.strerror or ""
    if files:
        _LOGGER.info("Removed %s loaded batch files from '%s'", len(files) - len(left), where)
    if left:
        _LOGGER.warning(
            "%s loaded batch files in '%s' cannot be removed: %s. They hold personal data: remove "
            "them.",
            len(left),
            where,
            reason,
        )
    return left


def _warn_of_old(paths: Iterable[Path], where: str) -> None:
    """Warn of files that no later run of this pipeline will remove."""
    before, old = time.time() - MONTH, 0
    for path in paths:
        try:
            old += path.lstat().st_mtime < before
        except OSError:
            continue  # somebody removed it
    if old:
        _LOGGER.warning(
            "'%s' has %s batch files that are older than a month and that the state does not know. "
            "They hold personal data: remove those that nobody will load.",
            where,
            old,
        )
