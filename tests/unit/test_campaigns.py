"""Rows of any generation become campaigns; unambiguous names lead to ids."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_cube.account.campaigns import Campaign, read_campaigns
from tap_cube.streams.campaign_rows import ids_by_names

TODAY: dict[str, Any] = {
    "campaign__id": 8,
    "campaign__name": "Nysalg oppfølging",
    "campaign__archived_date": "2020-01-30",
    "campaign__crm_type": "B2B",
    "data_owner__id": 2,
    "data_owner__name": "Fjordmedia AS",
}
OF_2019: dict[str, Any] = {
    "campaign__id": 8,
    "campaign__name": "Nysalg oppfølging",
    "crm_type__name": "B2B",
    "assignment__id": 9,
}


def campaign(**changes: object) -> Campaign:
    """The sample campaign with some values changed."""
    (found,) = read_campaigns([{**TODAY, **changes}])
    return found


def test_a_campaign_of_today_names_its_crm() -> None:
    """Its data owner and CRM type join its events to customers."""
    found = campaign()
    assert found == Campaign(
        8, "Nysalg oppfølging", "Fjordmedia AS", (2, "B2B"), None, date(2020, 1, 30)
    )
    assert found.defined_by == ("data_owners/2/B2B",)
    assert found.columns == {
        "campaign__id": 8,
        "data_owner_id": 2,
        "crm_type": "B2B",
        "assignment_id": None,
    }


def test_a_campaign_of_2019_names_its_assignment() -> None:
    """In 2019 there were assignments and no data owners."""
    (found,) = read_campaigns([OF_2019])
    assert found == Campaign(8, "Nysalg oppfølging", "", None, 9, None)
    assert found.defined_by == ("assignments/9",)
    assert found.columns["assignment_id"] == 9


@pytest.mark.parametrize("value", [None, "", "åtte", 8.5, True, [8]])
def test_a_row_without_a_whole_id_is_skipped(value: object) -> None:
    """Nothing could be requested for it."""
    assert not read_campaigns([{**TODAY, "campaign__id": value}])


@pytest.mark.parametrize("crm_type", ["Lenes CSI test", "B2", "", None, 98])
def test_an_unknown_crm_type_leaves_the_crm_empty(crm_type: object) -> None:
    """Records show types that URLs do not have (T24); the campaign is read anyway."""
    assert campaign(campaign__crm_type=crm_type).crm is None


@pytest.mark.parametrize("day", ["", None, "soon", "30.01.2020", 20200130, []])
def test_an_invalid_archive_date_is_ignored(day: object) -> None:
    """Reading an archived campaign is better than skipping an active one."""
    if day != 20200130:  # a valid date in ISO 8601
        assert campaign(campaign__archived_date=day).archived is None


def test_an_active_campaign_has_not_ended() -> None:
    """It was reopened, or its date stands for none. Otherwise it would be closed for ever."""
    flags: list[object] = [True, "True", "true", "Ja", "yes", 1]
    for flag in flags:
        assert campaign(campaign__is_active=flag).archived is None
    for flag in [False, "False", "", None]:
        assert campaign(campaign__is_active=flag).archived == date(2020, 1, 30)


rows = st.lists(
    st.builds(
        Campaign,
        id=st.integers(1, 99),
        name=st.sampled_from("ab"),
        data_owner=st.sampled_from("xy"),
        crm=st.sampled_from([None, (1, "B2B"), (1, "B2C"), (2, "B2B")]),
        assignment_id=st.none() | st.integers(1, 2),
        archived=st.none(),
    ),
    unique_by=lambda found: found.id,
    max_size=8,
)


@given(rows)
def test_names_lead_to_an_id_only_if_their_campaigns_agree(campaigns: list[Campaign]) -> None:
    """An id is empty where campaigns with the same names have different ones."""
    found = ids_by_names(campaigns)
    assert found.keys() == {(each.data_owner, each.name) for each in campaigns}
    for names, ids in found.items():
        same = [each.columns for each in campaigns if (each.data_owner, each.name) == names]
        for name, value in ids.items():
            values = {columns[name] for columns in same}
            assert value == (values.pop() if len(values) == 1 else None)
        assert (ids["campaign__id"] is None) == (len(same) > 1)
