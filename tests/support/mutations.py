"""Random damage to JSON: what a careless hand, a broken script or another tap may leave."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

JUNK: list[Any] = [
    None, True, False, 0, -1, 7, 1.5, 10**20, "", "x", "0", "true", "null", "a" * 300, "a\u0000\n",
    "0001-01-01", "9999-12-31T23:59:59Z", "2024-05-17", "INCREMENTAL", "FULL_TABLE", "LOG_BASED",
    "automatic", "unsupported", "string", "date-time", "C1", "updated",
    [], {}, [[]], [None], ["null"], ["x", "x"], {"a": {}}, {"type": "string"}, {"partitions": []},
]  # fmt: skip
"""Values that may take the place of any other."""


def mutated(value: Any, rng: random.Random) -> Any:  # noqa: ANN401 - any JSON
    """Copy a JSON value with one to three pieces of damage."""
    root = [copy.deepcopy(value)]
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        holder, key = rng.choice([*_places(root)])
        _damage(holder, key, root, rng)
    return root[0] if root else None


def _places(value: Any) -> Iterator[tuple[Any, Any]]:  # noqa: ANN401 - any JSON
    """Each place inside a value: what holds it, and its key or index there."""
    keys = value if isinstance(value, dict) else range(len(value))
    for key in keys:
        yield value, key
        if isinstance(value[key], dict | list):
            yield from _places(value[key])


def _damage(holder: Any, key: Any, root: Any, rng: random.Random) -> None:  # noqa: ANN401 - JSON
    old = holder[key]
    match rng.randrange(7):
        case 0 if holder is not root:
            del holder[key]
        case 1 if isinstance(holder, list) and holder is not root:
            holder.insert(key, copy.deepcopy(old))
        case 2 if isinstance(holder, dict):
            holder[str(rng.choice(JUNK))] = holder.pop(key)
        case 3:
            holder[key] = rng.choice([[old], {"a": old}, {"type": old}])
        case 4:
            holder[key] = list(old) if isinstance(old, dict) else str(old)
        case 5:  # another part of the same value
            other_holder, other_key = rng.choice([*_places(root)])
            holder[key] = copy.deepcopy(other_holder[other_key])
        case _:
            holder[key] = copy.deepcopy(rng.choice(JUNK))
