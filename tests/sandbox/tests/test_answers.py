"""Django makes each answer once, as long as nothing changes that shows in it."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from cube_sandbox import Traps

if TYPE_CHECKING:
    from collections.abc import Callable

    from cube_sandbox import Sandbox

    from .conftest import Ask

LIST = "/api/v1/data_owners/2/B2B/customers/"
SEEDS = itertools.count(4711)


@pytest.fixture
def made(cube: Sandbox, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that Django answered, in a content that no other test has."""
    cube.reset(seed=next(SEEDS))
    from cube_sandbox.views import CubeView  # noqa: PLC0415 - needs Django set up

    paths: list[str] = []
    setup = CubeView.setup

    def noted(view: CubeView, request: Any, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - Django's
        paths.append(request.get_full_path())
        setup(view, request, *args, **kwargs)

    monkeypatch.setattr(CubeView, "setup", noted)
    return paths


def test_an_answer_is_made_once(cube: Sandbox, ask: Ask, made: list[str]) -> None:
    """A reset to the same content changes nothing; another page or credential is another answer."""
    first = ask(LIST)
    assert ask(LIST).content == first.content
    cube.reset(seed=cube.seed)
    assert ask(LIST).content == first.content
    assert made == [LIST]
    assert ask(f"{LIST}?page=2").content != first.content
    assert ask(LIST, headers={}).status_code == 401
    assert made == [LIST, f"{LIST}?page=2", LIST]


@pytest.mark.usefixtures("made")
def test_what_changed_shows_at_once(cube: Sandbox, ask: Ask) -> None:
    """An edit and its undoing, and each option, show in the next answer."""
    first, (customer, *_) = ask(LIST).json(), cube.account.customer_ids(9)
    edits: list[Callable[[], object]] = [
        lambda: cube.account.update_customer(9, customer, name="Ny"),
        lambda: cube.account.delete_customer(9, customer),
        lambda: setattr(cube, "page_size", 5),
        lambda: setattr(cube, "traps", Traps(empty_standard="null")),
        lambda: setattr(cube, "change_log", False),
        lambda: setattr(cube, "forbidden", {"data_owners/2/B2B"}),
    ]
    shown = [first]
    for edit in edits:
        edit()
        shown.append(ask(LIST).json())
        assert shown[-1] != shown[-2]
    cube.reset(seed=cube.seed)
    assert ask(LIST).json() == first


def test_a_test_may_replace_functions(cube: Sandbox, ask: Ask, made: list[str]) -> None:
    """It asks for new answers, and functions that are traps get them too."""
    cube.keep_answers = False
    numbers = iter(range(9))
    for traps in (Traps(), Traps(count=lambda _: next(numbers))):
        cube.traps = traps
        assert [ask(LIST).status_code, ask(LIST).status_code] == [200, 200]
        cube.keep_answers = True
    assert made == [LIST] * 4
    assert next(numbers) == 2
