"""A long read of a large, faulty account that is edited continuously, run on demand.

    uv run python -m tests.benchmarks.soak --customers 300000

The exit status is 0 only if the output has every customer that existed throughout, and memory did
not grow in the second half.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, get_args

from cube_sandbox import Fault, Sandbox
from cube_sandbox.faults import Kind
from tests.support.tap_process import started_tap

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterable

    from cube_sandbox import Request
    from cube_sandbox.account import Where

SEED = 1
EDIT_EVERY = 10
"""Requests between two edits."""

GROWTH = 1.2
"""The highest allowed ratio of memory in the second half to memory in the middle of the run."""

HARMLESS: tuple[Kind, ...] = tuple(
    kind
    for kind in get_args(Kind)
    if kind
    in {"429", "500", "502", "503", "504", "refuse", "reset", "truncate", "html", "not-json"}
)
"""Faults that disappear with a retry."""


@dataclass(slots=True)
class Edits:
    """Edits the account between requests: adds rows throughout, deletes rows at the beginning."""

    cube: Sandbox
    pages: int
    chance: random.Random
    ids: dict[Where, list[str]]
    deleted: set[tuple[Where, str]] = field(default_factory=set)
    updated: int = 0
    added: int = 0

    def before(self, request: Request) -> None:
        """Edit before every tenth request; delete only during the first third."""
        if request.number % EDIT_EVERY:
            return
        where = self.chance.choice(list(self.ids))
        known = self.ids[where]
        self.added += len(self.cube.account.insert(where, 3))
        changed = known[self.chance.randrange(len(known) // 2)]
        self.cube.account.update_customer(where, changed, phone_1="21000000")
        self.updated += 1
        if request.number < self.pages // 3:
            gone = known.pop(self.chance.randrange(len(known) // 2, len(known)))
            self.cube.account.delete_customer(where, gone)
            self.deleted.add((where, gone))


@dataclass(slots=True)
class Figures:
    """The measurements of a run."""

    returncode: int
    seconds: float
    lines: int
    found: set[tuple[Where, str]]
    resident: list[int]


def main() -> int:
    """Run the soak test and print its figures."""
    parser = argparse.ArgumentParser(description="A long read of a large, faulty account.")
    parser.add_argument("--customers", type=int, default=300_000, help="customers of all CRMs")
    parser.add_argument("--page-size", type=int, default=500, help="rows a page")
    parser.add_argument("--faults", type=float, default=0.02, help="share of requests struck")
    options = parser.parse_args()
    pages = options.customers // options.page_size
    with Sandbox(customers=options.customers // 3, page_size=options.page_size) as cube:
        ids: dict[Where, list[str]] = {
            crm: cube.account.customer_ids(crm) for crm in cube.account.crms
        }
        existed = {(crm, each) for crm, known in ids.items() for each in known}
        chance = random.Random(SEED)
        cube.faults = struck(chance, options.faults, 20 * pages + 100)
        edits = Edits(cube, pages, chance, ids)
        cube.before_request = edits.before
        figures = measured_read(cube)
        requests = len(cube.requests)
    missing = existed - edits.deleted - figures.found
    tell(
        {
            "status": figures.returncode,
            "customers at the beginning": len(existed),
            "added, updated, deleted": (edits.added, edits.updated, len(edits.deleted)),
            "requests": requests,
            "records": figures.lines,
            "customers missing": len(missing),
            "seconds": round(figures.seconds, 1),
            "records a second": round(figures.lines / figures.seconds),
            "memory is flat": is_flat(figures.resident),
            "MiB resident after 10, 50, 100 %": resident_at(figures.resident, (0.1, 0.5, 1)),
        }
    )
    return 1 if missing or figures.returncode or not is_flat(figures.resident) else 0


def struck(chance: random.Random, share: float, requests: int) -> list[Fault]:
    """Faults of several kinds, each at different requests."""
    at: dict[Kind, set[int]] = {kind: set() for kind in HARMLESS}
    for number in range(20, requests):
        if chance.random() < share:
            at[chance.choice(HARMLESS)].add(number)
    return [Fault(kind, at=frozenset(numbers), retry_after=0) for kind, numbers in at.items()]


def measured_read(cube: Sandbox) -> Figures:
    """Read all CRMs with the installed command, and sample its memory."""
    settings = {"api_url": cube.url, "auth_token": cube.token, "assignment_ids": []}
    resident: list[int] = []
    with tempfile.TemporaryFile() as log:
        begun = time.monotonic()
        with started_tap(settings, stderr=log) as process:
            ended = threading.Event()
            watch = threading.Thread(target=sample, args=(process, resident, ended))
            watch.start()
            try:
                lines, found = customers_of(process)
                process.wait()
            finally:
                ended.set()
                watch.join()
        seconds = time.monotonic() - begun
        if process.returncode:
            show_end_of(log)
    return Figures(process.returncode, seconds, lines, found, resident)


def customers_of(process: subprocess.Popen[bytes]) -> tuple[int, set[tuple[Where, str]]]:
    """Count the records of a tap, and collect their keys."""
    assert process.stdout is not None
    lines, found = 0, set[tuple[Any, str]]()
    for line in process.stdout:
        message = json.loads(line)
        if message["type"] == "RECORD" and message["stream"] == "data_owner_customers":
            record = message["record"]
            found.add(((record["data_owner_id"], record["crm_type"]), record["customer_id"]))
            lines += 1
    return lines, found


def sample(process: subprocess.Popen[bytes], resident: list[int], ended: threading.Event) -> None:
    """Sample the resident memory of a process in KiB, twice a second."""
    status = Path(f"/proc/{process.pid}/status")
    while not ended.wait(0.5):
        sizes = [line for line in status.read_text().splitlines() if line.startswith("VmRSS")]
        resident += [int(line.split()[1]) for line in sizes]


def resident_at(resident: list[int], parts: Iterable[float]) -> list[int]:
    """Memory in MiB at given parts of the run; [] without samples."""
    if not resident:
        return []
    return [resident[max(0, int(len(resident) * part) - 1)] // 1024 for part in parts]


def is_flat(resident: list[int]) -> bool:
    """Whether memory grew by less than a fifth in the second half of the run."""
    second_half = resident[max(0, len(resident) // 2 - 1) :]
    return bool(second_half) and max(second_half) <= GROWTH * second_half[0]


def show_end_of(log: IO[bytes]) -> None:
    """Print the last lines of a log."""
    log.seek(0)
    sys.stdout.write("\n".join(log.read().decode().splitlines()[-3:]) + "\n")


def tell(figures: dict[str, object]) -> None:
    """Print figures, one per line."""
    for name, value in figures.items():
        sys.stdout.write(f"{name:34} {value}\n")


if __name__ == "__main__":
    sys.exit(main())
