"""Names of columns: each key of a stream has a column of its own, which every target can make.

A key's own name is kept where that is possible. Databases refuse some names, and many targets
compare names without case, or replace signs and letters beyond ASCII. So names are alike if only
that makes them different (`folded`). Of the keys whose names are alike, one has the plain name, and
the others get a digest of their key: ``id`` and ``ID_1cc5b56e``.
"""

from __future__ import annotations

import re
import typing as t
import unicodedata
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import count, islice

from tap_cube.records.decoder import MAX_KEY_LENGTH

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

MAX_NAME_BYTES = 62
"""Longest name that all targets keep: PostgreSQL cuts longer ones at 63, others shorten at 63."""

MAX_REMEMBERED = 2_000
"""Names of a stream that the state remembers; PostgreSQL has at most 1,600 columns in a table."""

_MAX_PLAIN = 1_600
"""How many of them may be plain keys themselves, which others are less likely to resemble."""

_MAX_RECALLED = 4
"""Names of a key that are tried when the state has one."""

_MAX_NAMED = 20_000
_SYSTEM_COLUMNS = {"cmax", "cmin", "ctid", "tableoid", "xmax", "xmin"}
_OF_TARGETS = re.compile("_+(?:sdc|dlt)_")
_PREFIX = "cube_"
_NUMBERED = re.compile("crm__custom_info__[0-9]+")
"""Keys of custom fields. An account has hundreds of them, so the state does not name them: other
keys never get such a name.
"""

_UNSAFE = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def plain_name(key: str) -> str:
    """A name for a key that no target refuses; other keys may have the same."""
    begin = key[:MAX_KEY_LENGTH].replace("%", "percent")
    name = "".join(map(_safe, begin)).strip() or "blank"
    if name.lower() in _SYSTEM_COLUMNS or _OF_TARGETS.match(_simplified(name)):
        name = _PREFIX + name
    return name if _fits(name) and len(key) <= MAX_KEY_LENGTH else with_digest(name, key)


def folded(name: str) -> str:
    """The part of a name that targets compare."""
    return _simplified(name).lstrip("_")


def _safe(char: str) -> str:
    return "_" if char in '."\\' or unicodedata.category(char) in _UNSAFE else char


def _simplified(name: str) -> str:
    return re.sub("[^a-z0-9]", "_", unicodedata.normalize("NFKC", name).casefold())


def _fits(name: str) -> bool:
    return max(len(name.encode()), len(name.lower().encode())) <= MAX_NAME_BYTES


def with_digest(name: str, key: str, attempt: int = 0, size: int = 4) -> str:
    """The name, cut so that a digest of its key fits behind it."""
    text, salt = key.encode(errors="surrogatepass"), attempt.to_bytes(8, "big")
    digest = blake2b(text, digest_size=size, salt=salt).hexdigest()
    begin = name.encode()[: MAX_NAME_BYTES - len(digest) - 1].decode(errors="ignore")
    while not _fits(f"{begin}_{digest}"):
        begin = begin[:-1]
    return f"{begin}_{digest}"


class ColumnNames:
    """The names of one stream's columns.

    Which of two keys has the plain name depends on what came first. So the state remembers the
    names that were emitted and that might be others in the next run.

    Args:
        remembered: Names of the columns of some keys, as earlier runs emitted them. It grows.
        spell: Makes a key readable, before it becomes a name.
    """

    def __init__(
        self, remembered: dict[str, str] | None = None, spell: Callable[[str], str] = str
    ) -> None:
        self._remembered = {} if remembered is None else remembered
        self._spell = spell
        self._names: dict[str, str] = {}
        self._owners: dict[str, str | None] = {}
        self._documented: set[str] = set()

    def anew(self) -> ColumnNames:
        """Names of the same kind, as a run without a state begins."""
        return ColumnNames(spell=self._spell)

    def reserve(self, columns: Iterable[str], documented: Iterable[str] = ()) -> None:
        """Give some columns their names for good.

        Args:
            columns: Columns that the tap itself fills, or names.
            documented: Keys of fixed fields, which have columns of their own names.
        """
        self._owners.update({folded(column): None for column in columns})
        for key in documented:
            self._owners[folded(key)] = self._names[key] = key
            self._documented.add(key)

    def recall(self) -> None:
        """Give the keys of earlier runs the names that they had, and forget others.

        The rule does not allow them if the state is damaged, or if names are now spelled otherwise.
        """
        for place, (key, name) in enumerate([*self._remembered.items()]):
            possible = islice(self._possible(key), _MAX_RECALLED)
            is_possible = place < MAX_REMEMBERED and name in possible
            if is_possible and self._owners.setdefault(folded(name), key) == key:
                self._names.setdefault(key, name)
            else:
                del self._remembered[key]

    def add(self, keys: Iterable[str]) -> None:
        """Name several keys, whose order does not matter."""
        for key in sorted(keys, key=lambda key: (folded(self._plain(key)) != key, key)):
            self.of(key)

    def of(self, key: str) -> str:
        """The name of a key."""
        if name := self._names.get(key):
            return name
        if len(key) > MAX_KEY_LENGTH or len(self._names) >= _MAX_NAMED:
            return with_digest(self._plain(key), key, size=16)
        names = self._possible(key)
        name = next(name for name in names if self._owners.setdefault(folded(name), key) == key)
        self._names[key] = name
        return name

    def remember(self, key: str) -> bool:
        """Remember the name of a key that is emitted, since the next run might choose another one.

        Returns:
            Whether it is new.
        """
        name = self._names.get(key)
        if name is None or key in self._documented or _NUMBERED.fullmatch(key):
            return False
        room = _MAX_PLAIN if name == key == folded(key) else MAX_REMEMBERED
        if key in self._remembered or len(self._remembered) >= room:
            return False
        self._remembered[key] = name
        return True

    def _possible(self, key: str) -> Iterator[str]:
        """Yield the names that a key may have, in the order to try."""
        plain = self._plain(key)
        if _NUMBERED.fullmatch(key) or not _NUMBERED.fullmatch(folded(plain)):
            yield plain
        for attempt in count():
            yield with_digest(plain, key, attempt)

    def _plain(self, key: str) -> str:
        return plain_name(self._spell(key))


@dataclass(frozen=True, slots=True)
class Naming:
    """How one run names the columns of an account.

    Attributes:
        remembered: Names of the columns of each stream that the state remembers, by key.
        spell: Makes a key readable, before it becomes a name.
    """

    remembered: dict[str, dict[str, str]] = field(default_factory=dict)
    spell: Callable[[str], str] = str

    def of(self, stream: str) -> ColumnNames:
        """The names of one stream."""
        return ColumnNames(self.remembered.setdefault(stream, {}), self.spell)
