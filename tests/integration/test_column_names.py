"""Each key has a column of its own, the same one in every run."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.in_process import run_in_process
from tests.support.runs import CRM, CUSTOMERS, entry_of, logged, only, schemas, set_selected
from tests.support.strange_server import pages

if TYPE_CHECKING:
    from tests.support.tap_process import TapRun

Row = dict[str, Any]


def night(*rows: Row, extra_args: tuple[str, ...] = (), **given: Any) -> TapRun:  # noqa: ANN401 - of a run
    """Read a CRM that has these customers, in one run."""
    found = [{"crm__customer_id": str(n), **row} for n, row in enumerate(rows)]
    page = {"count": len(found), "next": None, "results": found}
    with pages(lambda _: page) as server:
        settings = {
            "api_url": server.url,
            "auth_token": "t",
            **only(CRM),
            **given.pop("settings", {}),
        }
        run = run_in_process(settings, extra_args=extra_args, **given)
    assert run.returncode == 0, run.stderr
    return run


def values(run: TapRun, *keys: str) -> list[dict[str, str]]:
    """What stands in the columns of these keys, whatever follows their names, in each record."""
    names = re.compile("|".join(f"{re.escape(key)}(_[0-9a-f]{{8}})?" for key in keys))
    return [
        {name: value for name, value in record.items() if names.fullmatch(name)}
        for record in run.records[CUSTOMERS]
    ]


@pytest.mark.parametrize(
    "row",
    [
        {"id": "a", "ID": "b", "Id": "c"},
        {"Fast 50 %": "a", "Fast 50 percent": "b", "fast-50_percent": "c"},
        {"gen info": "a", "gen.info": "b", "gen_info": "c", 'gen"info': "d"},
        {"å": "a", "æ": "b", "a\u030a": "c", "": "d", " ": "e", "\x00": "f"},
        {"ctid": "a", "_sdc_deleted_at": "b", "cube_ctid": "c", "XMIN": "d", "_dlt_id": "e"},
        {"x" * 62: "a", "x" * 63: "b", "X" * 63: "c", "y" * 900: "d"},
        {"data_owner_id": "a", "CRM_type": "b", "customer_id": "c", "Updated ": "d"},
        {"unparsed_values": "a", "Unparsed values": "b", "crm__Standard_info__name": "c"},
        {"1a": "a", "_1a": "b", "\ud800": "c", "\u200b": "d", "\x85": "e"},
    ],
)
def test_keys_whose_names_are_alike_have_columns_of_their_own(row: Row) -> None:
    """No value is lost, no two columns are alike for a target, and order does not matter."""
    record, other = (
        night(dict(keys)).records[CUSTOMERS][0] for keys in ([*row.items()], [*row.items()][::-1])
    )
    assert record == other
    sent = [
        value for name, value in record.items() if str(value) in "abcdef" and name != "crm_type"
    ]
    assert sorted(sent) == sorted(row.values())
    names = [re.sub("[^a-z0-9]", "_", name.casefold()).lstrip("_") for name in record]
    assert len({*names}) == len(names)
    assert all(0 < len(name.encode()) <= 62 for name in record)
    assert not re.search(r'[."\\\x00-\x1f\x7f-\x9f]', "".join(record))
    assert (record["data_owner_id"], record["customer_id"]) == (2, "0")


@pytest.mark.parametrize(
    ("first", "second"),
    [("ID", "id"), ("id", "ID"), ("Navn %", "navn_percent"), ("x_y", "x.y")],
)
@pytest.mark.parametrize("is_meltano", [False, True])
def test_a_column_stays_that_of_its_key(first: str, second: str, *, is_meltano: bool) -> None:
    """It does not matter which key comes later, nor that a catalog is made without a state."""
    only_first, both = {first: "1"}, {second: "2", first: "1"}
    before = night(only_first)
    ((column, _),) = values(before, first.replace("%", "percent"))[0].items()
    catalog = night(both, extra_args=("--discover",)).catalog if is_meltano else None
    for row in ({second: "2"}, both, {second: "2"}):
        run = night(row, state=before.state, catalog=catalog)
        (record,) = run.records[CUSTOMERS]
        assert record.get(column) == row.get(first)
        assert "2" in record.values()
        assert run.state
        before = run


def test_a_full_refresh_decides_anew() -> None:
    """Without a state the rule decides: the key that is plain has the plain name."""
    row = {"id": "2", "ID": "1"}
    assert night(row, state=night({"ID": "1"}).state).records[CUSTOMERS][0]["ID"] == "1"
    assert night(row).records[CUSTOMERS][0]["id"] == "2"


def test_a_catalog_deselects_the_same_key_under_another_name() -> None:
    """The name that a column has without a state stands for the one that it has with it."""
    row = {"id": "secret", "ID": "1"}
    before = night({"ID": "1"})
    catalog = night(row, extra_args=("--discover",)).catalog
    set_selected(entry_of(catalog), "id", selected=False)
    run = night(row, state=before.state, catalog=catalog)
    assert run.records[CUSTOMERS][0]["ID"] == "1"
    assert "secret" not in run.stdout


def test_no_key_gets_the_name_of_a_custom_field() -> None:
    """The state need not remember the hundreds of custom fields of an account."""
    before = night({"CRM__custom_info__1": "2"})
    run = night({"CRM__custom_info__1": "2", "crm__custom_info__1": "1"}, state=before.state)
    assert run.records[CUSTOMERS][0]["crm__custom_info__1"] == "1"
    assert "CRM__custom_info__1" not in before.records[CUSTOMERS][0]


def test_names_that_another_key_could_have_stand_in_the_state() -> None:
    """Those of custom fields do not, nor those of keys that are not emitted."""
    row = {"plain_key": "1", "ID": "2", "id": "3", "Antall år": "4", "a.b": "5"}
    run = night({**row, "crm__custom_info__1": "6"})
    names = run.state["bookmarks"][CUSTOMERS]["names"] if run.state else {}
    assert names.keys() == row.keys()
    assert (names["Antall år"], names["a.b"]) == ("Antall år", "a_b")
    title = schemas(run)[0]["a_b"]["title"]
    assert title == "a.b"


def test_names_in_the_state_that_cannot_be_are_forgotten() -> None:
    """A state that somebody damaged changes no column, and does not stay as large as it is."""
    before = night({"ID": "1"}).state or {}
    before["bookmarks"][CUSTOMERS]["names"] = {
        "ID": "x" * 9000,
        **{f"K{number}": f"K{number}" for number in range(25_000)},
    }
    run = night({"ID": "1"}, state=before)
    assert run.records[CUSTOMERS][0]["ID"] == "1"
    assert run.state
    assert len(run.state["bookmarks"][CUSTOMERS]["names"]) <= 2000


def test_extras_have_readable_names_in_label_mode() -> None:
    """Labels of extras are transliterated like those of custom fields, and stay apart."""
    extras = {"Studielån": "1", "studielan": "2", "Fast ansatt over 50 %": "3", "ID": "4"}
    row = {f"call_outcome__extra__{label}": value for label, value in extras.items()}
    run = night(row, settings={"custom_field_names": "label"})
    (record,) = run.records[CUSTOMERS]
    found = {value: name for name, value in record.items() if "__extra__" in name}
    assert found["2"] == "call_outcome__extra__studielan"
    assert re.fullmatch("call_outcome__extra__studielan_[0-9a-f]{8}", found["1"])
    assert found["3"] == "call_outcome__extra__fast_ansatt_over_50"
    assert found["4"] == "call_outcome__extra__id"


def test_keys_named_like_columns_of_the_tap_are_kept_on_whole_pages() -> None:
    """Their values stand beside those of the tap, also in pages that are decoded at once."""
    rows = [{"data_owner_id": "x", "unparsed_values": "y", "customer_id": n} for n in range(9)]
    run = night(*rows)
    for number, record in enumerate(run.records[CUSTOMERS]):
        assert record["customer_id"] == str(number)
        assert json.dumps(record).count('"x"') == json.dumps(record).count('"y"') == 1


@pytest.mark.parametrize(("number", "is_told"), [(1_500, False), (1_600, True)])
def test_very_many_columns_are_told_with_the_remedy(number: int, *, is_told: bool) -> None:
    """A table of PostgreSQL would not take them."""
    run = night({f"felt_{n}": "x" for n in range(number - 40)})
    told = [text for text in logged(run, "WARNING") if "1,593" in text]
    assert bool(told) == is_told
    assert all(f"!{CUSTOMERS}." in text for text in told)
