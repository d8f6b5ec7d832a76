"""The records of events have the documented keys and values."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from cube_sandbox import Traps

from .conftest import results
from .test_payloads import CHANGE_LOG, STANDARD

if TYPE_CHECKING:
    from cube_sandbox import Sandbox

    from .conftest import Ask

B2B = "/api/v1/data_owners/2/crm/B2B"
CALLFLOW = [
    f"callflow__{name}"
    for name in (
        "attempts_status__attempts",
        "callstate__name",
        "last_change__user",
        "last_change__when",
        "last_change__cause",
        "last_change__alternative",
        "last_change__comment",
    )
]
OUTCOME = [
    f"call_outcome__{name}"
    for name in (
        "comment",
        "report_as__submitted_by",
        "report_as__submitted_in_team",
        "type",
        "subtype",
        "report_as__submitted_when",
    )
]
OUTCOME_2019 = [
    f"call_outcome__{name}"
    for name in (
        "submitted_by",
        "submitted_when",
        "type",
        "subtype",
        "submitted_in_department",
        "comment",
    )
]
TIMESTAMP = "call_outcome__report_as__submitted_when_timestamp"
MEETING = ["meeting__agent", "meeting__time__from_date_time", "meeting__time__to_date_time"]
PRODUCT = ["product__code", "product__title", "product__price"]
PLACE = ["campaign__name", "campaign__crm_type", "data_owner__name", "segment__name"]
PLACE_2019 = ["campaign__name", "assignment__name", "client__short_name"]
EXTRAS = [
    f"call_outcome__extra__{label}"
    for label in ("Innhentet samtykke for TM", "Leveransedato", "aeaer-aeraer")
]
EXAMPLES = [
    f"product__extra__Example {label}" for label in ("checkbox", "date", "dropdown alternatives")
]


@pytest.mark.parametrize(
    ("generation", "path", "keys"),
    [
        ("2020", f"{B2B}/callflow_customers/", [*CALLFLOW, *PLACE, "product__MPC"]),
        ("2020", "/api/v1/campaigns/2/callflow_customers/", [*CALLFLOW, *PLACE, "product__MPC"]),
        (
            "2019",
            "/api/v1/campaigns/2/callflow_customers/",
            [*CALLFLOW, *PLACE_2019, *MEETING, "product__MPC"],
        ),
        ("2020", "/api/v1/call_outcomes/", [*OUTCOME, TIMESTAMP, *EXTRAS, *PLACE]),
        ("2020", f"{B2B}/call_outcomes/", [*OUTCOME, TIMESTAMP, *EXTRAS, *PLACE]),
        ("2020", "/api/v1/campaigns/2/call_outcomes/", [*OUTCOME, TIMESTAMP, *EXTRAS, *PLACE]),
        (
            "2019",
            "/api/v1/campaigns/2/call_outcomes/",
            [*OUTCOME_2019, *EXTRAS, "call_outcome__additional_input_text", *PLACE_2019],
        ),
        (
            "2020",
            f"{B2B}/product_registrations/",
            [*PRODUCT, *EXAMPLES, *OUTCOME, *EXTRAS, *PLACE],
        ),
        (
            "2020",
            "/api/v1/campaigns/2/product_registrations/",
            [*PRODUCT, *EXAMPLES, *OUTCOME, *EXTRAS, *PLACE],
        ),
    ],
)
def test_events_have_the_documented_keys(
    cube: Sandbox, ask: Ask, generation: str, path: str, keys: list[str]
) -> None:
    """The customer's keys come first, then the event's, without ids of campaign or data owner."""
    cube.reset(generation=generation, outcomes=0)
    cube.account.add_outcome(2, product="MPC")
    cube.account.set_call_state(2, state="Ready")
    customs = [f"crm__custom_info__{number}" for number in cube.account.definitions((2, "B2B"))]
    (record,) = results(ask, path)
    shown = [key for key in record if key not in {"product__MPA", "product__ProdB"}]
    assert shown == [*STANDARD, *CHANGE_LOG, *customs, *keys]
    assert None not in record.values()


def test_events_show_their_values(empty: Sandbox, ask: Ask) -> None:
    """Times are local, to the minute, beside a timestamp whose offset has no colon (T37, T38)."""
    when = datetime(2024, 7, 1, 21, 59, 6, 477_000, tzinfo=UTC)
    empty.account.add_outcome(
        2, when=when, type="Sale", subtype="Ja - Salg", extras={"Ny": True}, product="MPA"
    )
    days = "?from_date=20240701&to_date=20240701"
    (outcome,) = results(ask, f"/api/v1/call_outcomes/{days}")
    assert outcome["call_outcome__report_as__submitted_when"] == "2024-07-01 23:59"
    assert outcome[TIMESTAMP] == "2024-07-01T23:59:06.477+0200"
    assert outcome["call_outcome__subtype"] == "Ja - Salg"
    assert outcome["call_outcome__extra__Ny"] is True
    assert outcome["call_outcome__extra__Leveransedato"] == ""
    assert outcome["data_owner__name"] == "Fjordmedia AS"
    (registration,) = results(ask, f"/api/v1/campaigns/2/product_registrations/{days}")
    assert registration["product__price"] == pytest.approx(149.5)
    assert TIMESTAMP not in registration


def test_outcomes_can_lack_the_timestamp(empty: Sandbox, ask: Ask) -> None:
    """Before 2024-05-10 times had only minutes."""
    empty.account.add_outcome(2)
    empty.traps = Traps(no_timestamps=True)
    (outcome,) = results(ask, "/api/v1/campaigns/2/call_outcomes/")
    assert TIMESTAMP not in outcome


def test_old_events_show_the_customer_of_today(empty: Sandbox, ask: Ask) -> None:
    """All events of a changed or anonymised customer show the change; a sale stays one (T40)."""
    path = f"{B2B}/product_registrations/?from_date=20180101&to_date=20241231"
    customer = empty.account.customer_ids((2, "B2B"))[0]
    empty.account.add_outcome(2, when=datetime(2018, 1, 29, 23, 4, tzinfo=UTC), product="ProdC")
    empty.account.update_customer((2, "B2B"), customer, name="Ny Eier AS")
    (before,) = results(ask, path)
    assert before["crm__standard_info__name"] == "Ny Eier AS"
    empty.account.anonymise((2, "B2B"), customer)
    (after,) = results(ask, path)
    crm = {key: after.pop(key) for key in list(after) if key.startswith("crm__")}
    assert crm.pop("crm__standard_info__name") == "Anonymized"
    assert set(crm.values()) == {""}
    assert after.items() <= before.items()
    assert after["product__price"] == 399
