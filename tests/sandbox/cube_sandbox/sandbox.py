"""A local Cube account: started, edited, broken and stopped by a test."""

from __future__ import annotations

import copy
import hashlib
import itertools
import threading
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from typing import TYPE_CHECKING, Self

from cube_sandbox.clock import OSLO
from cube_sandbox.faults import Fault, Request
from cube_sandbox.generations import GENERATIONS, Generation
from cube_sandbox.traps import Traps

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from types import TracebackType

    from cube_sandbox.account import Account
    from cube_sandbox.running import Running

_NAMES = itertools.count(1)


def _secret(purpose: str, seed: int) -> str:
    """Make up a credential that is the same for a seed."""
    return hashlib.sha256(f"cube-sandbox {purpose} {seed}".encode()).hexdigest()[:40]


@dataclass(kw_only=True, eq=False, repr=False)
class Sandbox:
    """A Cube account on a free loopback port, from `with` to its end.

    Every attribute can be set while it runs and holds from the next request on; those that decide
    the content (`generation` for ids, `customers`, `seed`, ...) need a `reset`.

    Attributes:
        generation: One of GENERATIONS.
        customers: Customers per CRM.
        campaigns: How many there are: the four that are named, then invented ones.
        outcomes: Call outcomes per campaign, with their call states and registrations.
        seed: Decides every invented value.
        page_size: Rows a page.
        traps: What the wire format does wrong.
        faults: What goes wrong with answers.
        delay: Seconds that every answer takes.
        token: The token; made up when empty.
        username: User name of the same user.
        password: Its password; made up when empty.
        anonymised: How many customers of each CRM are anonymised (T40).
        undated: How many have no date of update.
        forbidden: Names like `assignments/9`, `data_owners/2/B2B`, `campaigns/8`, `campaigns` (the
            list) or `call_outcomes` (those of everybody) that answer 403.
        change_log: Whether `__` records tell when they were updated, if the generation does.
        without: Rows of `cube-api.md` not served although the generation has them.
        gzip: Whether answers are packed for clients that accept it.
        today: The account's present day; the real one when None.
        port: Port to listen on; 0 is a free one.
        before_request: Called in the server before each answer is made.
        requests: What was asked so far.
        database: Django's name for the database.
        closing: Set when the sandbox ends, so that nothing waits any longer.
    """

    generation: str = "all"
    customers: int = 60
    campaigns: int = 4
    outcomes: int = 60
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
    forbidden: Collection[str] = frozenset()
    change_log: bool = True
    without: Collection[str] = frozenset()
    gzip: bool = False
    today: date | None = None
    port: int = 0
    before_request: Callable[[Request], None] | None = None
    requests: list[Request] = field(default_factory=list, init=False)
    database: str = field(default="", init=False)
    closing: threading.Event = field(default_factory=threading.Event, init=False)

    def __post_init__(self) -> None:
        """Check the options; nothing starts yet."""
        self.token = self.token or _secret("token", self.seed)
        self.password = self.password or _secret("password", self.seed)
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._struck: list[Fault] = []
        self._begun = {
            option.name: copy.copy(getattr(self, option.name))
            for option in fields(self)
            if option.init
        }
        self._running: Running | None = None
        self._check()

    def __enter__(self) -> Self:
        """Fill the database and answer requests from now on."""
        from cube_sandbox import project  # noqa: PLC0415 - Django sleeps until it is needed

        project.wake()
        from cube_sandbox.running import Running  # noqa: PLC0415 - imports only when it is awake

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
        """Stop the server and remove every trace."""
        self._alive.close()
        self._running = None

    @property
    def url(self) -> str:
        """The address that a client is given."""
        return f"http://127.0.0.1:{self._alive.port}"

    @property
    def account(self) -> Account:
        """The content, for edits behind the API's back."""
        return self._alive.account

    @property
    def day(self) -> date:
        """The account's present day."""
        return self.today or datetime.now(tz=OSLO).date()

    @property
    def era(self) -> Generation:
        """The generation, as data."""
        return GENERATIONS[self.generation]

    @property
    def rows(self) -> frozenset[str]:
        """The rows of `cube-api.md` that are served."""
        return self.era.rows - frozenset(self.without)

    def reset(self, **options: object) -> None:
        """Replace the content and forget requests and faults.

        Options are the constructor's; those left out are again what the constructor was given.

        Raises:
            TypeError: There is no such option.
        """
        unknown = options.keys() - self._begun.keys()
        if unknown:
            msg = f"Sandbox has no option {', '.join(sorted(unknown))}."
            raise TypeError(msg)
        for name, value in {**self._begun, **options}.items():
            setattr(self, name, copy.copy(value))
        self._check()
        self.requests.clear()
        with self._lock:
            self._struck.clear()
            self._numbers = itertools.count(1)
        self._alive.account.refill()

    def note(
        self, *, method: str, path: str, query: str, row: str | None, scheme_of_auth: str | None
    ) -> Request:
        """Number a request and write it down."""
        with self._lock:
            request = Request(next(self._numbers), method, path, query, row, scheme_of_auth)
            self.requests.append(request)
            return request

    def fault_for(self, request: Request) -> Fault | None:
        """Choose the first fault that strikes a request, and count it."""
        with self._lock:
            for fault in self.faults:
                # By identity: an equal fault set later strikes afresh.
                struck = sum(other is fault for other in self._struck)
                over = fault.times is not None and struck >= fault.times
                if not over and fault.strikes(request, self.seed):
                    if fault.times is not None:
                        self._struck.append(fault)
                    return fault
            return None

    @property
    def _alive(self) -> Running:
        if self._running is None:
            msg = "The sandbox is not running: use it in a `with` statement."
            raise RuntimeError(msg)
        return self._running

    def _check(self) -> None:
        if self.generation not in GENERATIONS:
            msg = f"There is no generation {self.generation!r}; there are {', '.join(GENERATIONS)}."
            raise ValueError(msg)
