"""The settings of the measured runs, as results and targets name them."""

from __future__ import annotations

ALL = "all rows"
BAD = "1 % off type"
CHANGED = "1 % changed"
TENFOLD = "ten times"
DISCOVER = "--discover"
IMPORT = "import singer_sdk"

AT_ONCE, SLOW, POOL, LIMIT = "at once", "100 ms", "four workers", "six at once"
"""The servers: for CPU time, and those on which P2, P2b and P2c are measured."""

RULES = {AT_ONCE: "delay:0", SLOW: "delay:100", POOL: "pool:100:4", LIMIT: "limit:100:6"}
"""How `capacity` calls them."""

FIXED = "fixed width"
"""The program that reads with a number of requests in flight that never changes."""

CAMPAIGNS, KEYS = "campaigns", "keys"

LOADED, BATCH, DEFAULT = "RECORD load", "BATCH load", "default load"
FILE, STANDARD_FILE = "BATCH file", "gzip file"


def fixed(place: str, width: int) -> str:
    """The setting of a run on one of the servers with a width that never changes."""
    return f"{place}, {width}"


def fixed_in(place: str, setting: str) -> bool:
    """Whether a setting is one of those on this server."""
    return setting.rpartition(", ")[0] == place
