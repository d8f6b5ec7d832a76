"""A local Cube account for tests: start it, edit its content and inject faults."""

from __future__ import annotations

import copy
import hashlib
import itertools
import threading
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Self

from cube_sandbox.clock import OSLO
from cube_sandbox.faults import Fault, Request
from cube_sandbox.generations import GENERATIONS, Generation
from cube_sandbox.traps import Traps

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable
    from types import TracebackType

    from cube_sandbox.account import Account
    from cube_sandbox.postgres import Postgres
    from cube_sandbox.running import Running

_NAMES = itertools.count(1)


def _secret(purpose: str, seed: int) -> str:
    """Derive a credential from a seed."""
    return hashlib.sha256(f"cube-sandbox {purpose} {seed}".encode()).hexdigest()[:40]


@dataclass(kw_only=True, eq=False, repr=False)
class Sandbox:
    """A Cube account that runs on a loopback port within a `with` block.

    Attributes can be set while it runs and take effect with the next request. Those that determine
    the content (`generation` for ids, `customers`, `seed`, ...) need a `reset`.

    Attributes:
        generation: One of GENERATIONS.
        customers: Customers per CRM.
        campaigns: Number of campaigns: four with fixed names, then invented ones.
        outcomes: Call outcomes per campaign, with their call states and registrations.
        notes: Notes per campaign, an invented endpoint (N1); it is served only if there are any.
        seed: Decides every invented value.
        page_size: Rows a page.
        traps: Deviations of the wire format.
        faults: Faults of responses.
        delay: Seconds before every response.
        token: The token; derived from the seed if empty.
        username: User name of the same user.
        password: The user's password; derived from the seed if empty.
        anonymised: Number of anonymised customers in each CRM (T40).
        undated: Number of customers in each CRM without a modification date.
        changed_within: Number of days, up to today, on which customers were last changed.
        forbidden: Names like `assignments/9`, `data_owners/2/B2B`, `campaigns/8`, `campaigns` (the
            list) or `call_outcomes` (of the whole account) whose requests get status 403.
        change_log: Whether `__` records have a modification date, if the generation does.
        without: Endpoints of `docs/api.md` that are not served although the generation has them.
        gzip: Whether responses are compressed for clients that accept it.
        today: The account's current day; None for the real one.
        now: The time that responses show in their Date header; None for the real one.
        port: Port to listen on; 0 for a free one.
        postgres: Server that keeps the account from the start on; None for an SQLite file.
        before_request: Called in the server before each response is made.
        keep_answers: Whether Django makes equal answers once. A test that replaces functions of the
            sandbox sets False.
        requests: The requests so far.
        database: Django's name for the database.
        known_tokens: The user of each token that was looked up.
        closing: Set when the sandbox closes, so that waiting threads stop.
    """

    generation: str = "all"
    customers: int = 60
    campaigns: int = 4
    outcomes: int = 60
    notes: int = 0
    seed: int = 1
    page_size: int = 25
    traps: Traps = field(default_factory=Traps)
    faults: list[Fault] = field(default_factory=list)
    delay: float = 0.0
    token: str = ""
    username: str = "owner@example.com"
    password: str = ""
    anonymised: int = 0
    undated: int = 0
    changed_within: int = 730
    forbidden: Collection[str] = frozenset()
    change_log: bool = True
    without: Collection[str] = frozenset()
    gzip: bool = False
    today: date | None = None
    now: datetime | None = None
    port: int = 0
    postgres: Postgres | None = None
    before_request: Callable[[Request], None] | None = None
    keep_answers: bool = True
    requests: list[Request] = field(default_factory=list, init=False)
    database: str = field(default="", init=False)
    known_tokens: dict[str, Any] = field(default_factory=dict, init=False, repr=False)
    closing: threading.Event = field(default_factory=threading.Event, init=False)

    def __post_init__(self) -> None:
        """Check the options; the server is not started."""
        self.token = self.token or _secret("token", self.seed)
        self.password = self.password or _secret("password", self.seed)
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._used: list[Fault] = []
        self._initial = {
            option.name: copy.copy(getattr(self, option.name))
            for option in fields(self)
            if option.init
        }
        self._running: Running | None = None
        self._check()

    def __enter__(self) -> Self:
        """Fill the database and start the server."""
        from cube_sandbox import project  # noqa: PLC0415 - imports Django only if needed

        project.set_up()
        from cube_sandbox.running import Running  # noqa: PLC0415 - needs Django set up

        self.closing.clear()
        self.database = f"cube{next(_NAMES)}"
        self._running = Running(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop the server and remove the database."""
        self._active.close()
        self._running = None

    @property
    def url(self) -> str:
        """The account's address."""
        return f"http://127.0.0.1:{self._active.port}"

    @property
    def account(self) -> Account:
        """The content, for edits without the API."""
        return self._active.account

    @property
    def day(self) -> date:
        """The account's current day."""
        return self.today or datetime.now(tz=OSLO).date()

    @property
    def generation_data(self) -> Generation:
        """The generation, as data."""
        return GENERATIONS[self.generation]

    @property
    def rows(self) -> frozenset[str]:
        """The endpoints of `docs/api.md` that are served."""
        invented = {"N1"} if self.notes else set()
        return (self.generation_data.rows | invented) - frozenset(self.without)

    @property
    def shown(self) -> Hashable:
        """The options that answers depend on, beside those that determine the content."""
        return (
            *(self.generation, self.page_size, self.seed, self.traps, self.gzip, self.day),
            *(self.change_log, self.rows, frozenset(self.forbidden)),
        )

    def reset(self, **options: object) -> None:
        """Replace the content and clear requests and faults.

        Options are the constructor's; missing ones return to the constructor's values.

        Raises:
            TypeError: There is no such option.
        """
        unknown = options.keys() - self._initial.keys()
        if unknown:
            msg = f"Sandbox has no option {', '.join(sorted(unknown))}."
            raise TypeError(msg)
        for name, value in {**self._initial, **options}.items():
            setattr(self, name, copy.copy(value))
        self._check()
        self.requests.clear()
        with self._lock:
            self._used.clear()
            self._numbers = itertools.count(1)
        self._active.account.refill()

    def log_request(
        self, *, method: str, path: str, query: str, row: str | None, scheme_of_auth: str | None
    ) -> Request:
        """Number a request and add it to `requests`."""
        with self._lock:
            request = Request(next(self._numbers), method, path, query, row, scheme_of_auth)
            self.requests.append(request)
            return request

    def fault_for(self, request: Request) -> Fault | None:
        """Return the first fault that affects a request, and count it."""
        with self._lock:
            for fault in self.faults:
                # By identity: an equal fault set later has its own count.
                count = sum(other is fault for other in self._used)
                is_over = fault.times is not None and count >= fault.times
                if not is_over and fault.matches(request, self.seed):
                    if fault.times is not None:
                        self._used.append(fault)
                    return fault
            return None

    @property
    def _active(self) -> Running:
        if self._running is None:
            msg = "The sandbox is not running: use it in a `with` statement."
            raise RuntimeError(msg)
        return self._running

    def _check(self) -> None:
        if self.generation not in GENERATIONS:
            known = ", ".join(GENERATIONS)
            msg = f"There is no generation {self.generation!r}; the generations are {known}."
            raise ValueError(msg)
