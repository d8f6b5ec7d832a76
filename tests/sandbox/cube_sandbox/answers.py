"""WSGI middleware that gives equal answers to equal requests of the same content."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from cube_sandbox.sandbox import Sandbox
    from cube_sandbox.versions import Versions

_MOST_BYTES = 1 << 24

Headers = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class _Answer:
    status: str
    headers: Headers
    body: bytes


@dataclass(slots=True)
class _Kept:
    """The latest answers, up to a number of bytes."""

    size: int = 0
    answers: OrderedDict[Hashable, _Answer] = field(default_factory=OrderedDict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, key: Hashable) -> _Answer | None:
        with self.lock:
            if key in self.answers:
                self.answers.move_to_end(key)
            return self.answers.get(key)

    def add(self, key: Hashable, answer: _Answer) -> None:
        with self.lock:
            if key not in self.answers:
                self.answers[key] = answer
                self.size += len(answer.body)
            while self.size > _MOST_BYTES:
                self.size -= len(self.answers.popitem(last=False)[1].body)


class Answers:
    """Has Django make each answer once.

    What an answer depends on is the request, the sandbox's options and the content. SQLite tells
    whether that changed, whoever did it.
    """

    def __init__(self, cube: Sandbox, application: WSGIApplication, versions: Versions) -> None:
        """Wrap Django's application."""
        self._cube = cube
        self._application = application
        self._versions = versions
        self._kept = _Kept()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer as before, or ask Django."""
        number = self._versions.number()
        request = self._request(environ)
        if request is None:
            return self._application(environ, start_response)
        key = (self._versions.content_of(number), request)
        answer = self._kept.get(key)
        if answer is None:
            answer = _made(self._application, environ)
            if self._versions.number() == number:  # nothing changed meanwhile
                self._kept.add(key, answer)
        start_response(answer.status, answer.headers[:])
        return [answer.body]

    def _request(self, environ: WSGIEnvironment) -> Hashable | None:
        """Return what an answer depends on beside the content, None if that cannot be told."""
        traps = self._cube.traps
        if not self._cube.keep_answers:
            return None
        if environ["REQUEST_METHOD"] != "GET" or environ.get("CONTENT_LENGTH"):
            return None
        if traps.next_value is not None or traps.count is not None:  # functions with a memory
            return None
        headers = [item for item in environ.items() if item[0].startswith("HTTP_")]
        return (environ["PATH_INFO"], environ["QUERY_STRING"], *headers, self._cube.shown)


def _made(application: WSGIApplication, environ: WSGIEnvironment) -> _Answer:
    """Have an application make an answer."""
    started: list[tuple[str, Headers]] = []

    def remember(status: str, headers: Headers, *_error: object) -> Callable[[bytes], object]:
        started.append((status, headers))
        return lambda _body: None

    answered = application(environ, remember)
    try:
        body = b"".join(answered)
    finally:
        if hasattr(answered, "close"):
            answered.close()
    return _Answer(*started[-1], body)
