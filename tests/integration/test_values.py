"""Values: all are emitted with the type of their column, or unchanged in `unparsed_values`."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
import requests

from cube_sandbox import Traps
from tests.support.in_process import run_in_process
from tests.support.runs import ASSIGNED, CRM, CUSTOMERS, only, sync
from tests.support.strange_server import Reply, pages

if TYPE_CHECKING:
    from cube_sandbox import Sandbox

URL = "/api/v1/data_owners/2/B2B/customers/"
ZONE = ZoneInfo("Europe/Oslo")
TRUTH = {"True": True, "true": True, "Ja": True, "False": False, "false": False, "Nei": False}
VARIANTS = [
    Traps(),
    Traps(numbers="strings"),
    Traps(numbers="numbers"),
    Traps(mixed_types=True),
    Traps(mistyped=0.3),
    Traps(booleans="python-strings"),
    Traps(booleans="json"),
    Traps(booleans="empty-for-false"),
    Traps(booleans="norwegian"),
    Traps(empty_customs=""),
    Traps(empty_customs="null"),
    Traps(empty_customs="absent"),
    Traps(empty_standard=""),
    Traps(empty_standard="null"),
    Traps(customer_id_integer=True),
    Traps(definitions="data__type"),
    Traps(definitions="no-lookup"),
]


def as_sent(cube: Sandbox) -> dict[str, dict[str, Any]]:
    """Read the rows of the CRM with `requests` alone, by customer id."""
    rows: list[dict[str, Any]] = []
    for page in (1, 2, 3):
        response = requests.get(
            f"{cube.url}{URL}",
            params={"page": page},
            headers={"Authorization": f"Token {cube.token}"},
            timeout=300,
        )
        rows += response.json()["results"]
    return {str(row["crm__customer_id"]): row for row in rows}


def is_converted(sent: object, value: object, schema: dict[str, Any]) -> bool:
    """Whether a value equals the sent one, in the type of its column."""
    kind = next(kind for kind in schema["type"] if kind != "null")
    if sent is None or (sent == "" and (kind != "string" or "format" in schema)):
        return value is None
    if kind in {"number", "integer"}:
        return not isinstance(value, str) and Decimal(str(sent)) == Decimal(str(value))
    if kind == "boolean":
        return value is (sent if isinstance(sent, bool) else TRUTH.get(str(sent)))
    if schema.get("format") == "date":
        return value == "-".join(reversed(str(sent).split(".")))  # 28.02.2015 is a date too
    if schema.get("format") == "date-time":
        local = datetime.fromisoformat(str(sent)).replace(tzinfo=ZONE)
        return datetime.fromisoformat(str(value)) == local
    return value == (sent if isinstance(sent, str) else str(sent))


@pytest.mark.parametrize("traps", VARIANTS, ids=str)
def test_no_value_is_lost_or_changed(cube: Sandbox, traps: Traps) -> None:
    """Each value is emitted in the type of its column, or unchanged in `unparsed_values`."""
    cube.reset(traps=traps)
    sent = as_sent(cube)
    run = sync(cube, **only(CRM))
    properties = run.schemas[CUSTOMERS]["schema"]["properties"]
    records = {record["customer_id"]: record for record in run.records[CUSTOMERS]}
    assert records.keys() == sent.keys()
    unparsed = 0
    for number, row in sent.items():
        record = records[number]
        beside = json.loads(record["unparsed_values"] or "{}")
        for key, value in row.items():
            if key in beside:
                assert (record[key], beside[key]) == (None, value)
                unparsed += 1
            else:
                assert is_converted(value, record[key], properties[key]), (key, value, record[key])
    assert bool(unparsed) == (traps.mistyped > 0 or traps.mixed_types)
    assert ("'unparsed_values'" in run.stderr) == bool(unparsed)


def test_columns_have_the_types_of_their_definitions(cube: Sandbox) -> None:
    """The type of a definition gives the column's type, its label the title; no length is set."""
    run = sync(cube, **only(CRM))
    properties = run.schemas[CUSTOMERS]["schema"]["properties"]
    types = {
        schema["title"]: (schema["type"][0], schema.get("format"))
        for name, schema in properties.items()
        if name.startswith("crm__custom_info__")
    }
    expected = {
        "Klassifisering": ("string", None),
        "Omsetning": ("number", None),
        "Antall år": ("integer", None),
        "Samtykke for TM": ("boolean", None),
        "Etablert": ("string", "date"),
        "Siste kontakt": ("string", "date-time"),
    }
    assert expected.items() <= types.items()
    assert not any("maxLength" in schema for schema in properties.values())


@pytest.mark.parametrize("generation", ["2016-query", "2017", "2019-draft", "2020", "all"])
def test_anonymised_rows_have_distinct_and_stable_keys(cube: Sandbox, generation: str) -> None:
    """All rows without an id (T40) are emitted; a second sync gives them the same keys."""
    cube.reset(generation=generation, customers=11, anonymised=7)
    stream = ASSIGNED if generation in {"2016-query", "2017"} else CUSTOMERS
    settings = {"assignment_ids": [9]} if stream == ASSIGNED else only(CRM)
    keys = [
        sorted(record["customer_id"] for record in sync(cube, **settings).records[stream])
        for _ in range(2)
    ]
    assert len(set(keys[0])) == 11
    assert keys[0] == keys[1]
    assert set(keys[0]) >= {i for i in cube.account.customer_ids(9) if i}


def test_a_customer_who_is_anonymised_becomes_a_new_row(cube: Sandbox) -> None:
    """The keys of other anonymised rows do not change."""
    cube.reset(anonymised=2)
    before = {r["customer_id"] for r in sync(cube, **only(CRM)).records[CUSTOMERS]}
    forgotten = cube.account.customer_ids(CRM)[-1]
    cube.account.delete_customer(CRM, forgotten)
    anonymous: dict[str, Any] = dict.fromkeys(
        ("customer_id", "phone_1", "phone_2", "email", "updated_by", "update_method"), ""
    )
    cube.account.add_customer(CRM, name="Anonymized", updated=None, **anonymous)
    after = {r["customer_id"] for r in sync(cube, **only(CRM)).records[CUSTOMERS]}
    assert before - after == {forgotten}
    assert len(after - before) == 1


def test_leading_zeros_and_unusual_text_are_unchanged(cube: Sandbox) -> None:
    """Codes stay text (T31); line breaks, U+2028 and trailing blanks are kept."""
    comment = next(n for n, key in cube.account.definitions(CRM).items() if key == "Kommentar")
    text = '  Ring \r\nigjen\u2028 «100 %» \\ " \t😀 '
    customer = cube.account.add_customer(
        CRM, customer_id="007", name=text, custom={comment: text, 62: "0235"}
    )
    found = {r["customer_id"]: r for r in sync(cube, **only(CRM)).records[CUSTOMERS]}
    assert found[customer]["crm__standard_info__name"] == text
    assert found[customer][f"crm__custom_info__{comment}"] == text
    assert found[customer]["crm__custom_info__62"] == "0235"
    assert customer == "007"


def test_a_field_that_is_new_after_discovery_is_emitted_in_the_same_run(cube: Sandbox) -> None:
    """If a field is added during the run, a new SCHEMA precedes its first value."""
    target = cube.account.customer_ids(CRM)[-1]
    added: list[int] = []

    def edit(request: Any) -> None:  # noqa: ANN401 - the sandbox's Request
        if request.row == "C2" and request.page == 2 and not added:
            added.append(cube.account.add_definition(CRM, "Nytt felt"))
            cube.account.update_customer(CRM, target, custom={added[0]: "ny verdi"})

    cube.before_request = edit
    run = sync(cube, read_ahead=0, **only(CRM))
    column = f"crm__custom_info__{added[0]}"
    found = {r["customer_id"]: r for r in run.records[CUSTOMERS]}
    assert found[target][column] == "ny verdi"
    schemas = [m for m in run.messages if m["type"] == "SCHEMA" and m["stream"] == CUSTOMERS]
    assert [column in m["schema"]["properties"] for m in schemas] == [False, True]


@pytest.mark.parametrize("beside", ["1", '"\\ud800"'])
@pytest.mark.parametrize("digits", [40, 5000])
def test_a_long_number_is_kept_in_every_row_alike(digits: int, beside: str) -> None:
    """It ends no run far down a page, and no value beside it changes what becomes of it."""
    number = "9" * digits
    row = f'{{"crm__customer_id": %d, "free": {number}, "list": [{number}], "beside": %s}}'
    rows = [row % (n, beside if n % 2 else "1") for n in range(20)]
    rows[:5] = [f'{{"crm__customer_id": {n}, "free": 1, "list": 1, "beside": 1}}' for n in range(5)]
    body = f'{{"count": 20, "next": null, "results": [{", ".join(rows)}]}}'.encode()
    with pages(lambda _: Reply(200, body=body)) as server:
        run = run_in_process({"api_url": server.url, "auth_token": "t", **only(CRM)})
    assert run.returncode == 0, run.stderr
    found = [(r["free"], json.loads(r["unparsed_values"] or "{}")) for r in run.records[CUSTOMERS]]
    assert [free or kept["free"] for free, kept in found[5:]] == [number] * 15
    assert len({free for free, _ in found[5:]}) == 1
