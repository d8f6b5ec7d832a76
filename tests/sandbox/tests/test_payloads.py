"""Every payload has the documented keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cube_sandbox import Traps

if TYPE_CHECKING:
    from cube_sandbox import Sandbox

    from .conftest import Ask

STANDARD = ["crm__customer_id"] + [
    f"crm__standard_info__{name}" for name in ("name", "phone_1", "phone_2", "phone_3", "email")
]
CHANGE_LOG = [f"crm__change_log__{name}" for name in ("updated", "updated_by", "update_method")]
PLAIN = [
    "name",
    "gender",
    "birth_date",
    "need_to_know",
    "care_of_name",
    "zone_name",
    "address_street",
    "address_street_no",
    "address_entrance",
    "zip_code",
    "city",
    "municipality",
    "county",
    "country",
    "phone_1",
    "phone_2",
    "phone_3",
    "email",
]
OF_2016 = [
    "customer_id",
    "name",
    "gender",
    "birth_date",
    "assignment_id",
    "care_of_name",
    "address_street",
    "address_street_no",
    "address_entrance",
    "zip_code",
    "city",
    "municipality",
    "county",
    "country",
    "phone_1",
    "phone_2",
    "phone_3",
    "email",
    "more_info_fields",
    "updated",
    "updated_by",
    "update_method",
    "org_number",
    "org_number_main",
    "org_name",
    "nace_code",
    "nace_text",
    "number_of_employees",
    "company_type",
    "established",
    "credit_rating",
    "need_to_know",
    "url",
    "company_email",
    "revenue",
    "po_box",
    "postal_address",
    "postal_zip",
    "postal_city",
]
CAMPAIGN = [
    f"campaign__{name}"
    for name in ("id", "name", "start_date", "end_date", "archived_date", "is_active")
]
DATA_OWNER = ["data_owner__id", "data_owner__name"]
ASSIGNMENT = [
    "assignment__id",
    "assignment__name",
    "assignment__description",
    "client__id",
    "client__short_name",
    "client__full_name",
]


@pytest.mark.parametrize(
    ("generation", "path"),
    [
        ("2019", "/api/v1/assignments/9/customers/"),
        ("2020", "/api/v1/data_owners/2/B2B/customers/"),
        ("all", "/api/v1/assignments/9/customers/"),
        ("all", "/api/v1/data_owners/2/B2B/customers/"),
    ],
)
def test_underscores_have_change_log_and_custom_ids(
    cube: Sandbox, ask: Ask, generation: str, path: str
) -> None:
    """C2 and S1 return standard info, change log and one key per definition."""
    cube.reset(generation=generation)
    customs = [f"crm__custom_info__{number}" for number in cube.account.definitions(9)]
    for record in ask(path).json()["results"]:
        assert list(record) == STANDARD + CHANGE_LOG + customs
        assert None not in record.values()


@pytest.mark.parametrize("path", ["/api/v1/assignments/9", "/api/v1/data_owners/2/B2B"])
def test_change_log_can_be_left_out(cube: Sandbox, ask: Ask, path: str) -> None:
    """Without change log C2 and S1 are exactly as documented, as a list and as a single record."""
    cube.change_log = False
    record = ask(f"{path}/customers/").json()["results"][0]
    assert list(record)[:7] == [*STANDARD, "crm__custom_info__1"]
    assert ask(f"{path}/customers/{record['crm__customer_id']}").json() == record


@pytest.mark.parametrize(
    ("generation", "path", "place"),
    [
        ("2017", "/api/v1/assignments/9", ("assignment_id", 9)),
        ("2019-draft", "/api/v1/data_owners/2/crm/B2B", ("crm_type_id", 98)),
    ],
)
def test_plain_records_differ_in_list_and_single(
    cube: Sandbox, ask: Ask, generation: str, path: str, place: tuple[str, int]
) -> None:
    """S5 and the S1 of 2017 have `customer_id`, S6 and S2 `external_customer_id` (T42)."""
    cube.reset(generation=generation)
    labels = list(cube.account.definitions((2, "B2B")).values())
    record = ask(f"{path}/customers/").json()["results"][1]
    single = ask(f"{path}/customers/{record['customer_id']}").json()
    assert list(record) == ["id", "customer_id", place[0], *PLAIN, *labels]
    assert list(single) == ["id", place[0], *PLAIN, *labels, "external_customer_id"]
    assert record[place[0]] == place[1]
    assert record["phone_3"] is None
    assert single["phone_3"] == ""
    assert single["external_customer_id"] == record["customer_id"]
    assert ask(f"{path}/customers/{record['id']}").json() == single


@pytest.mark.parametrize(
    ("generation", "path"),
    [
        ("2016-query", "/crm/customers?assignment_id=9"),
        ("2016-path", "/crm/assignment_id/9/customers"),
    ],
)
def test_records_of_2016_omit_empty_customs(
    cube: Sandbox, ask: Ask, generation: str, path: str
) -> None:
    """S7 and S8 return 39 fixed keys, null when empty, and only non-empty custom fields."""
    cube.reset(generation=generation)
    labels = set(cube.account.definitions(9).values())
    for record in ask(path).json()["results"]:
        assert list(record)[:39] == OF_2016
        assert set(list(record)[39:]) < labels
        assert "" not in record.values()
        assert isinstance(record["customer_id"], int)
        assert record["assignment_id"] == 9


@pytest.mark.parametrize(
    ("generation", "keys"),
    [
        ("2019", [*CAMPAIGN, "campaign__description", *ASSIGNMENT]),
        ("2019-draft", [*CAMPAIGN, "crm_type__id", "crm_type__name", *DATA_OWNER]),
        ("2020", [*CAMPAIGN, "campaign__crm_type", "service__id", "service__name", *DATA_OWNER]),
        (
            "all",
            [
                *CAMPAIGN,
                "campaign__crm_type",
                "service__id",
                "service__name",
                *DATA_OWNER,
                *ASSIGNMENT,
            ],
        ),
    ],
)
def test_campaigns_have_the_form_of_their_year(
    cube: Sandbox, ask: Ask, generation: str, keys: list[str]
) -> None:
    """C1 is a bare list without nulls; an archived campaign is false in 2019 and empty later."""
    cube.reset(generation=generation)
    campaigns = ask("/api/v1/campaigns").json()
    assert {tuple(campaign) for campaign in campaigns} == {tuple(keys)}
    active = {campaign["campaign__id"]: campaign["campaign__is_active"] for campaign in campaigns}
    assert active[1] is True
    assert active[8] == (False if generation == "2019" else "")


@pytest.mark.parametrize(
    ("variant", "keys"),
    [
        ("type", "id key type max_length hint lookup__id"),
        ("data__type", "id key data__type lookup__id"),
        ("no-lookup", "id key type max_length hint"),
    ],
)
@pytest.mark.parametrize("path", ["assignments/9", "data_owners/2/B2B"])
def test_definitions_come_in_three_variants(
    cube: Sandbox, ask: Ask, path: str, variant: str, keys: str
) -> None:
    """C4 and H2 are bare lists in one of the variants of section 4."""
    cube.reset(traps=Traps(definitions=variant))  # type: ignore[arg-type]
    definitions = ask(f"/api/v1/{path}/crm_custom_fields/").json()
    assert len(definitions) == 22
    assert {" ".join(definition) for definition in definitions} == {keys}


def test_one_id_means_different_things(cube: Sandbox) -> None:
    """Field 20 is a different field in each CRM (T50)."""
    labels = [cube.account.definitions(where)[20] for where in cube.account.crms]
    assert len(set(labels)) == 3


def test_anonymised_customers_are_empty(cube: Sandbox, ask: Ask) -> None:
    """An anonymised customer has only the name `Anonymized`, and no id (T40)."""
    cube.reset(anonymised=2)
    records = ask("/api/v1/data_owners/2/B2B/customers/").json()["results"]
    for record in records[:2]:
        assert record.pop("crm__standard_info__name") == "Anonymized"
        assert set(record.values()) == {""}
    assert records[2]["crm__customer_id"]


def test_undated_customers_have_no_day(cube: Sandbox, ask: Ask) -> None:
    """Customers without a modification date exist only if requested."""
    cube.reset(undated=1)
    records = ask("/api/v1/data_owners/2/B2B/customers/").json()["results"]
    assert [bool(record["crm__change_log__updated"]) for record in records] == [False, True, True]
