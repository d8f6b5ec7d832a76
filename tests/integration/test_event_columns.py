"""Columns of events: fixed ones, custom fields, and questions and products of campaigns."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.integration.conftest import TODAY
from tests.support.event_runs import (
    CALLFLOW,
    DAY,
    MERSALG,
    ONE_CRM,
    OUTCOMES,
    REGISTRATIONS,
    at,
    begin,
    night,
)
from tests.support.runs import CUSTOMERS, discover, sync

if TYPE_CHECKING:
    from cube_sandbox import Sandbox
    from tests.support.tap_process import TapRun

CRM = (2, "B2B")
STREAMS = (CALLFLOW, OUTCOMES, REGISTRATIONS)
CUSTOM = "crm__custom_info__"
SIZE = "product__extra__Størrelse"
LABEL = "call_outcome__extra__Fast ansatt over 50 percent"


def fill(cube: Sandbox, **options: Any) -> None:  # noqa: ANN401 - options of the sandbox
    """Add one event of each kind for the first customer."""
    begin(cube, **options)
    when = at(cube.day)
    cube.account.add_outcome(MERSALG, when=when, product="MPA", extras={"Leveransedato": "Nå"})
    cube.account.set_call_state(MERSALG, state="Ready", when=when)


def properties(run: TapRun, stream: str) -> dict[str, Any]:
    """The columns of a stream in its last SCHEMA message."""
    found: dict[str, Any] = run.schemas[stream]["schema"]["properties"]
    return found


def test_custom_fields_have_the_types_of_the_customer_stream(cube: Sandbox) -> None:
    """A custom field has the same type and title in every stream."""
    fill(cube, customers=8)
    numbers = {
        kind: cube.account.add_definition(CRM, f"Et felt: {kind}", type=kind)
        for kind in ("number", "checkbox", "date")
    }
    sent = {"number": "233.0", "checkbox": "Ja", "date": "28.02.2015"}
    customer = cube.account.add_customer(CRM, custom={numbers[k]: v for k, v in sent.items()})
    cube.account.add_outcome(MERSALG, customer, when=at(TODAY), product="MPA")
    cube.account.set_call_state(MERSALG, customer, state="Ready", when=at(TODAY))
    run = night(cube)
    typed = {"number": 233, "checkbox": True, "date": "2015-02-28"}
    for stream in (CUSTOMERS, *STREAMS):
        (record,) = [r for r in run.records[stream] if r["customer_id"] == customer]
        assert {kind: record[f"{CUSTOM}{n}"] for kind, n in numbers.items()} == typed
        for name, schema in properties(run, CUSTOMERS).items():
            if name.startswith(CUSTOM):
                assert properties(run, stream)[name] == schema


def test_a_value_that_does_not_fit_is_kept_in_unparsed_values(cube: Sandbox) -> None:
    """The column is null, and `unparsed_values` holds the original."""
    fill(cube)
    number = cube.account.add_definition(CRM, "Tall", type="number")
    customer = cube.account.customer_ids(CRM)[0]
    cube.account.update_customer(CRM, customer, custom={number: "Standard giro"})
    run = night(cube)
    for stream in STREAMS:
        (record,) = run.records[stream]
        assert record[f"{CUSTOM}{number}"] is None
        assert json.loads(record["unparsed_values"]) == {f"{CUSTOM}{number}": "Standard giro"}


def test_label_names_are_the_same_in_every_stream(cube: Sandbox) -> None:
    """Custom fields have one label name, and extras are spelled alike."""
    fill(cube)
    number = cube.account.add_definition(CRM, "Antall år igjen")
    customer = cube.account.customer_ids(CRM)[0]
    cube.account.update_customer(CRM, customer, custom={number: "ni"})
    run = night(cube, custom_field_names="label")
    for stream in STREAMS:
        (record,) = run.records[stream]
        assert record["custom__antall_ar_igjen"] == "ni"
        assert not [name for name in properties(run, stream) if name.startswith(CUSTOM)]
    (outcome,) = run.records[OUTCOMES]
    assert outcome["call_outcome__extra__leveransedato"] == "Nå"


def test_fixed_fields_have_their_types(cube: Sandbox) -> None:
    """Attempts and prices are numbers; the minutes of calls are date-times."""
    fill(cube)
    outcome = cube.account.add_outcome(MERSALG, when=at(TODAY), product="ProdB", price=2490)
    cube.account.set_call_state(MERSALG, state="Ready", attempts=9, when=at(TODAY))
    cube.account.register(outcome, "MPA", 149.5)
    run = night(cube)
    (state,) = run.records[CALLFLOW]
    assert state["callflow__attempts_status__attempts"] == 9
    assert state["callflow__last_change__when"] == f"{TODAY}T08:00:00+00:00"
    prices = {r["product__price"] for r in run.records[REGISTRATIONS]}
    assert prices == {149.5, 2490}
    assert "number" in properties(run, REGISTRATIONS)["product__price"]["type"]
    name = "call_outcome__report_as__submitted_when"
    assert run.records[OUTCOMES][0][name] == f"{TODAY}T08:00:00+00:00"
    assert run.records[OUTCOMES][0][f"{name}_timestamp"] == f"{TODAY}T08:00:00+00:00"


def test_columns_that_discovery_did_not_see_are_emitted_in_the_same_run(cube: Sandbox) -> None:
    """Questions and products differ between campaigns and over time."""
    fill(cube, page_size=1)
    other = cube.account.add_campaign(
        CRM, "Ny", products=["STR1"], outcome_extras=["Fast ansatt over 50 %"]
    )
    cube.account.add_outcome(
        other, when=at(TODAY - 400 * DAY), extras={"Fast ansatt over 50 %": True}, product="ProdB"
    )
    cube.account.set_call_state(other, state="Sale", when=at(TODAY - 400 * DAY))
    # Discovery reads one page of one campaign only.
    cube.account.archive(other, TODAY)
    run = night(cube)
    added = {OUTCOMES: LABEL, REGISTRATIONS: SIZE, CALLFLOW: "product__STR1"}
    for stream, column in added.items():
        values = {r["campaign__id"]: r.get(column) for r in run.records[stream]}
        assert values.keys() == {MERSALG, other}
        assert values[other] == {LABEL: "true", SIZE: "XL", "product__STR1": ""}[column]
        assert values[MERSALG] is None


def test_a_column_that_is_new_in_a_later_run_is_declared_in_it(cube: Sandbox) -> None:
    """A SCHEMA message declares it before the first record that has it."""
    fill(cube)
    before = night(cube, TODAY)
    cube.account.add_outcome(MERSALG, when=at(TODAY, "11:00"), extras={"Nytt spørsmål": "svar"})
    column = "call_outcome__extra__Nytt spørsmål"
    run = night(cube, TODAY + DAY, state=before.state)
    assert column not in properties(before, OUTCOMES)
    assert column in properties(run, OUTCOMES)
    answers = {r["submitted_at"][11:13]: r.get(column) for r in run.records[OUTCOMES]}
    assert answers == {"08": None, "09": "svar"}


def test_deselected_columns_stay_out(cube: Sandbox) -> None:
    """Deselected custom fields are not emitted; keys always are."""
    fill(cube, today=None)  # discovery reads the columns of the last days only
    unwanted = (CUSTOM, "call_outcome__extra__", "product__M")
    catalog = discover(cube, **ONE_CRM)
    for entry in catalog["streams"]:
        for item in entry["metadata"]:
            name = item["breadcrumb"][-1] if item["breadcrumb"] else ""
            is_wanted = entry["tap_stream_id"] in STREAMS and not name.startswith(unwanted)
            item["metadata"]["selected"] = is_wanted
    run = sync(cube, catalog=catalog, **ONE_CRM)
    assert set(run.records) == set(STREAMS)
    for stream in STREAMS:
        (record,) = run.records[stream]
        assert not [name for name in record if name.startswith(unwanted)]
        assert record["crm__standard_info__name"]
        assert record["campaign__id"] == MERSALG


def test_keys_and_ids_are_the_first_columns(cube: Sandbox) -> None:
    """The key is the first, whatever the account."""
    fill(cube)
    run = night(cube)
    for stream in (OUTCOMES, REGISTRATIONS):
        assert list(properties(run, stream))[:6] == [
            f"{stream[:-1]}_key",
            "campaign__id",
            "data_owner_id",
            "crm_type",
            "customer_id",
            "submitted_at",
        ]
