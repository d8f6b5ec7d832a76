"""A field whose type changes: the run says what targets do about it, before the first record."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cube_sandbox import Fault
from tests.support.in_process import run_in_process
from tests.support.runs import CRM, CUSTOMERS, discover, entry_of, logged, only, read, sync
from tests.support.strange_server import pages

if TYPE_CHECKING:
    from cube_sandbox import Sandbox
    from tests.support.tap_process import TapRun

LABEL = "Årsbeløp"


def warnings(run: TapRun) -> list[str]:
    """What a run says about changed types."""
    return [text for text in logged(run, "WARNING") if "type of custom fields has changed" in text]


def retyped(cube: Sandbox, before: str, after: str) -> tuple[str, TapRun]:
    """Read an account, then change the type of a field; return its column and the run."""
    number = cube.account.add_definition(CRM, LABEL, type=before)
    run = sync(cube, **only(CRM))
    cube.account.retype_definition(CRM, number, after)
    return f"crm__custom_info__{number}", run


@pytest.mark.parametrize(
    ("before", "after", "named", "consequence"),
    [
        ("number", "text", "from number to text", "Altering columns is not supported"),
        ("date", "text", "from date to text", "Altering columns is not supported"),
        ("integer", "number", "from integer to number", "rounds"),
        ("text", "number", "from text to number", "keeps text"),
        ("date", "datetime", "from date to date-time", "keeps the old type"),
    ],
)
def test_a_changed_type_is_told_once_before_the_first_record(
    cube: Sandbox, before: str, after: str, named: str, consequence: str
) -> None:
    """The warning names column, label, types, consequence and remedy; the next run is silent."""
    column, first = retyped(cube, before, after)
    second = sync(cube, state=first.state, **only(CRM))
    (warning,) = [text for text in warnings(second) if text.startswith(CUSTOMERS)]
    for part in (column, LABEL, named, consequence, "docs/targets.md", "Rename the column"):
        assert part in warning
    assert not warnings(first)
    assert not warnings(sync(cube, state=second.state, **only(CRM)))


def test_the_warning_comes_again_until_a_run_has_read_the_stream(cube: Sandbox) -> None:
    """A run that fails for the stream does not accept the new type."""
    _, run = retyped(cube, "number", "text")
    cube.faults = [Fault("500", row="C2", page=2)]
    broken = read(cube, state=run.state, **only(CRM))
    cube.faults = []
    assert broken.returncode == 1
    again = sync(cube, state=broken.state, **only(CRM))
    assert warnings(broken)
    assert warnings(again)
    assert not warnings(sync(cube, state=again.state, **only(CRM)))


def test_a_catalog_that_keeps_the_old_type_needs_no_warning(cube: Sandbox) -> None:
    """What the target is told counts, not what Cube says."""
    column, run = retyped(cube, "number", "text")
    catalog = discover(cube, **only(CRM))
    entry_of(catalog)["schema"]["properties"][column]["type"] = ["number", "null"]
    told = warnings(sync(cube, state=run.state, catalog=catalog, **only(CRM)))
    assert not [text for text in told if text.startswith(CUSTOMERS)]


def test_a_field_of_another_crm_can_change_a_columns_type(cube: Sandbox) -> None:
    """With label names it shares the column, which then holds the values of both."""
    b2c, by_label = (2, "B2C"), {"custom_field_names": "label"}
    cube.account.add_definition(CRM, LABEL, type="integer")
    cube.account.add_definition(b2c, LABEL, type="number")
    first = sync(cube, **by_label, **only(CRM))
    second = sync(cube, state=first.state, **by_label, **only(CRM, b2c))
    (warning,) = [text for text in warnings(second) if text.startswith(CUSTOMERS)]
    assert "custom__arsbelop ('Årsbeløp') from integer to number" in warning


def test_a_field_without_its_definition_becomes_text_and_is_told() -> None:
    """Its values are still there, and the target still has the column of the earlier type."""
    row = {"crm__customer_id": "1", "crm__custom_info__20": "5"}
    with pages(lambda _: {"count": 1, "next": None, "results": [row]}) as server:
        settings = {"api_url": server.url, "auth_token": "t", **only(CRM)}
        state = run_in_process(settings).state or {}
        state["bookmarks"][CUSTOMERS]["types"] = {"number": ["crm__custom_info__20"]}
        second = run_in_process(settings, state=state)
        third = run_in_process(settings, state=second.state)
    (warning,) = warnings(second)
    assert "crm__custom_info__20 from number to text" in warning
    assert not warnings(third)
