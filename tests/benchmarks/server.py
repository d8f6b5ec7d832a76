"""A web server with pre-generated bodies, so that its own cost is small.

It runs in a separate process and serves one account on one port per rule of `capacity`, until stdin
ends.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gzip
import json
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from typing_extensions import override

from tests.benchmarks import account
from tests.benchmarks.capacity import Capacity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

CRM = "/api/v1/data_owners/{}/B2C/"
FULL, OFF_TYPE, ONE_PAGE, TENFOLD = 2, 3, 4, 5
"""The data owners: all rows, all with some misfits, a single page, and ten times as many."""

PATHS = {f"{CRM.format(owner)}customers/": owner for owner in (FULL, OFF_TYPE, ONE_PAGE, TENFOLD)}
ASKED, TAKEN = "/asked", "/taken"
"""Pages asked for, and the responses, since the last call."""

NOT_FOUND = b'{"detail":"Not found."}'
THROTTLED = b'{"detail":"Request was throttled."}'


@dataclass(frozen=True, slots=True)
class Rendered:
    """The rows of each data owner's pages, compressed."""

    records: Mapping[int, int]
    pages: Mapping[int, list[bytes]]
    asked: Counter[tuple[int, int]] = field(default_factory=Counter)

    @classmethod
    def of(cls, records: int, *, is_whole: bool) -> Rendered:
        """Generate an account with this number of customers.

        Only a whole account also has the data owner with misfits, and the one with ten times as
        many customers, which takes three times as long.
        """
        misfits, tenfold = (records, 10 * records) if is_whole else (0, records)
        pages = _compressed(tenfold)
        counts = {FULL: records, ONE_PAGE: account.PAGE_SIZE, TENFOLD: tenfold}
        found = {owner: pages[: -(-count // account.PAGE_SIZE)] for owner, count in counts.items()}
        found[OFF_TYPE] = _compressed(misfits, off_type=True)
        return cls({**counts, OFF_TYPE: misfits}, found)

    def answer(self, target: str, host: str) -> bytes | None:
        """The compressed body of a response; None if the target does not exist."""
        url = urlsplit(target)
        if (owner := PATHS.get(url.path)) is not None:
            return self._page(owner, int(parse_qs(url.query).get("page", ["1"])[0]), host)
        if url.path == ASKED:
            distinct, total = len(self.asked), self.asked.total()
            self.asked.clear()
            return gzip.compress(json.dumps([distinct, total]).encode())
        if url.path.rstrip("/") == "/api/v1/campaigns":
            return gzip.compress(json.dumps(account.CAMPAIGNS).encode())
        if url.path.endswith("B2C/crm_custom_fields/"):
            return gzip.compress(json.dumps(account.DEFINITIONS).encode())
        return None

    def _page(self, owner: int, number: int, host: str) -> bytes | None:
        pages = self.pages[owner]
        if not 1 <= number <= len(pages):
            return None
        self.asked[owner, number] += 1
        path = f"{host}{CRM.format(owner)}customers/?page="
        links = {
            "count": self.records[owner],
            "next": f"http://{path}{number + 1}" if number < len(pages) else None,
            "previous": f"http://{path}{number - 1}" if number > 1 else None,
        }
        head = json.dumps(links)[:-1] + ',"results":['
        # The gzip file has two members, because the rows are compressed before the port is known.
        return gzip.compress(head.encode(), 1) + pages[number - 1]


def _compressed(records: int, *, off_type: bool = False) -> list[bytes]:
    pages = account.pages(records, off_type=off_type)
    return [gzip.compress(rows + b"]}", 1) for rows in pages]


class Connection(asyncio.Protocol):
    """Responds to the requests of one client.

    Args:
        rendered: The pages of the account.
        capacity: When a request is answered, or that it is refused.
    """

    def __init__(self, rendered: Rendered, capacity: Capacity) -> None:
        """Start without a request."""
        self._rendered = rendered
        self._capacity = capacity
        self._received = b""
        self._transport: asyncio.Transport | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    @override
    def data_received(self, data: bytes) -> None:
        # No request has a body.
        self._received += data
        while b"\r\n\r\n" in self._received:
            text, _, self._received = self._received.partition(b"\r\n\r\n")
            first, *lines = text.decode().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in map(_parted, lines)}
            target = first.split(" ")[1]
            if target == TAKEN:
                self._send(headers, "200 OK", gzip.compress(self._capacity.taken()))
            elif target == ASKED:
                self._answer(target, headers, is_refusal=False)
            else:
                self._capacity.take(partial(self._answer, target, headers))

    def _answer(self, target: str, headers: Mapping[str, str], is_refusal: bool) -> None:  # noqa: FBT001 - said by `Capacity.take`
        if is_refusal:
            return self._send(headers, "429 Too Many Requests", gzip.compress(THROTTLED))
        body = self._rendered.answer(target, headers.get("host", ""))
        if body is None:
            return self._send(headers, "404 Not Found", gzip.compress(NOT_FOUND))
        return self._send(headers, "200 OK", body)

    def _send(self, headers: Mapping[str, str], status: str, content: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        more = "Content-Encoding: gzip\r\n"
        if "gzip" not in headers.get("accept-encoding", ""):
            content, more = gzip.decompress(content), ""
        if status.startswith("429") and self._capacity.retry_after:
            more += f"Retry-After: {self._capacity.retry_after}\r\n"
        answer = (
            f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{more}"
            f"Content-Length: {len(content)}\r\n\r\n"
        )
        self._transport.write(answer.encode() + content)


def _parted(line: str) -> tuple[str, str, str]:
    return line.partition(":")


async def serve(rendered: Rendered, rules: list[str]) -> None:
    """Serve until stdin ends; print the ports to stdout, in the order of the rules."""
    loop = asyncio.get_running_loop()
    async with contextlib.AsyncExitStack() as stack:
        ports = []
        for rule in rules:
            connection = partial(Connection, rendered, Capacity.of(rule))
            server = await loop.create_server(connection, "127.0.0.1", 0)
            await stack.enter_async_context(server)
            ports.append(server.sockets[0].getsockname()[1])
        sys.stdout.write(json.dumps(ports) + "\n")
        sys.stdout.flush()
        await loop.run_in_executor(None, sys.stdin.read)


@contextlib.contextmanager
def served(
    records: int, rules: Sequence[str] = ("delay:0",), *, is_whole: bool = False
) -> Iterator[list[str]]:
    """Serve an account from a process that ends with the block; yield a URL per rule.

    Args:
        records: The number of customers of the account.
        is_whole: Whether it also has all customers with misfits, and ten times as many.
        rules: What each port bears.
    """
    rows = ["--records", str(records), *(["--whole"] if is_whole else [])]
    with subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-m", "tests.benchmarks.server", *rows, "--rules", *rules],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        ports: list[int] = json.loads(process.stdout.readline())
        try:
            yield [f"http://127.0.0.1:{port}" for port in ports]
        finally:
            process.communicate(timeout=10)


def main(argv: list[str] | None = None) -> None:
    """Run the server."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.server")
    parser.add_argument("--records", type=int, required=True)
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--rules", nargs="+", default=["delay:0"])
    options = parser.parse_args(argv)
    asyncio.run(serve(Rendered.of(options.records, is_whole=options.whole), options.rules))


if __name__ == "__main__":
    main()
