"""The CPU seconds of reading customers of whom each has a key that no other has.

It runs as a process of its own, which prints the seconds of the quickest of some runs: start-up,
which takes longer, is not in it.

    uv run --locked python -m tests.benchmarks.keys 2000
"""

from __future__ import annotations

import json
import sys
import time

from tests.support.in_process import run_in_process
from tests.support.strange_server import Reply, pages

TRIES = 5
CRM = [{"id": 2, "crm_types": ["B2B"]}]


def main(number: int) -> None:
    """Read customers with this many keys in all, and print the CPU seconds."""
    rows = [{"crm__customer_id": str(each), f"new {each}": "x"} for each in range(number)]
    usual = {"crm__customer_id": "usual", "crm__standard_info__name": "Kari"}
    found: dict[int, object] = {}
    with pages(lambda page: found.get(page, Reply(404))) as server:
        following = f"{server.url}{server.path}?page=2"
        found[1] = {"count": number + 1, "next": following, "results": [usual]}
        found[2] = {"count": number + 1, "next": None, "results": rows}
        settings = {"api_url": server.url, "auth_token": "t", "data_owners": CRM, "read_ahead": 0}
        seconds = []
        for _ in range(TRIES):
            begun = time.process_time()
            run = run_in_process(settings)
            seconds.append(time.process_time() - begun)
            if run.returncode:
                raise RuntimeError(run.stderr)
    sys.stdout.write(json.dumps(min(seconds)) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]))
