"""Full loads that break off, while settings and lists change: nothing goes that is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from meltano.core.utils import merge

from cube_sandbox import Fault
from tests.integration.test_failures import failing, mend
from tests.integration.test_full_loads import (
    EMPTY,
    TWO,
    activated,
    aged,
    full,
    kept,
    of_b2c,
    version_of,
)
from tests.support.runs import CRM, CUSTOMERS, entry_of, only, read, set_selected, sync
from tests.support.singles import OF_CUSTOMERS
from tests.support.sizes import only_large

if TYPE_CHECKING:
    from cube_sandbox import Sandbox
    from tests.support.tap_process import TapRun

LATER = {"start_date": "2024-01-01"}


def refreshed(run: TapRun, before: TapRun) -> Any:  # noqa: ANN401 - any JSON
    """The state that Meltano keeps after a full refresh: merged over the one before."""
    return merge(run.state, aged(before.state))  # type: ignore[no-untyped-call]


def broken_off(cube: Sandbox, *, state: Any = None) -> TapRun:  # noqa: ANN401 - any
    """A full load that does not read the second CRM."""
    begin = failing(cube, of_b2c)
    catalog = full(cube) if state else None
    run = read(
        cube,
        state=state,
        catalog=catalog,
        discovered=begin,
        max_retries=0,
        **only(*TWO),
    )
    assert CUSTOMERS not in activated(run)
    mend(cube)
    return run


def test_a_full_refresh_forgets_an_earlier_start_date(cube: Sandbox) -> None:
    """The table then holds all days; a weekly run that begins later deletes none of them."""
    first = sync(cube, **only(CRM), **LATER)
    state = refreshed(sync(cube, **only(CRM)), first)
    weekly = sync(cube, state=state, catalog=full(cube, **only(CRM)), **only(CRM), **LATER)
    assert CUSTOMERS not in activated(weekly)
    assert "'start_date' is not what it was" in kept(weekly)


@only_large
def test_a_start_date_of_one_night_lets_no_earlier_rows_go(cube: Sandbox) -> None:
    """That night reads the second CRM from a later day, and the setting is taken back."""
    first = sync(cube, **only(*TWO))
    weekly = broken_off(cube, state=aged(first.state))
    night = sync(cube, state=weekly.state, **only(*TWO), **LATER)
    assert "'start_date' is not what it was" in kept(night)
    after = sync(cube, state=night.state, **only(*TWO))
    assert CUSTOMERS not in activated(after)
    again = sync(cube, state=aged(after.state), catalog=full(cube, **only(*TWO)), **only(*TWO))
    assert CUSTOMERS in activated(again)


def test_narrower_settings_after_a_broken_full_refresh_delete_nothing(cube: Sandbox) -> None:
    """Its state names what it was to read."""
    first = sync(cube, **only(*TWO))
    state = refreshed(broken_off(cube), first)
    night = sync(cube, state=state, **only(CRM))
    assert CUSTOMERS not in activated(night)
    assert "Earlier runs read data_owners/2/B2C" in kept(night)


@only_large
def test_what_a_broken_full_refresh_did_not_read_has_to_be_empty_twice(cube: Sandbox) -> None:
    """Its state does not tell whether the CRM had rows."""
    first = sync(cube, **only(*TWO))
    state = refreshed(broken_off(cube), first)
    cube.account.delete((2, "B2C"), cube.account.customer_ids((2, "B2C")))
    night = sync(cube, state=state, **only(*TWO))
    assert "Not read: data_owners/2/B2C" in kept(night)
    assert CUSTOMERS in activated(sync(cube, state=night.state, **only(*TWO)))


@only_large
def test_a_crm_that_refuses_a_full_refresh_and_then_goes_keeps_its_rows(cube: Sandbox) -> None:
    """The full refresh did not see that its rows have gone."""
    first = sync(cube)
    cube.forbidden = {"data_owners/2/B2C"}
    state = refreshed(sync(cube), first)
    night = sync(cube, state=state, **only((1, "B2C"), CRM))
    assert CUSTOMERS not in activated(night)
    assert "Earlier runs read data_owners/2/B2C" in kept(night)


@pytest.mark.parametrize("has_dates", [True, False])
def test_a_list_without_rows_is_believed_at_the_second_time(
    cube: Sandbox, *, has_dates: bool
) -> None:
    """Also if it is the only one, in full loads one after the other, and without bookmarks."""
    cube.reset(change_log=has_dates)
    first = sync(cube, **only(CRM))
    cube.account.delete(CRM, cube.account.customer_ids(CRM))
    catalog = full(cube, **only(CRM))
    weekly = sync(cube, state=aged(first.state), catalog=catalog, **only(CRM))
    assert CUSTOMERS not in activated(weekly)
    again = sync(cube, state=weekly.state, catalog=catalog, **only(CRM))
    assert activated(again)[CUSTOMERS] == version_of(again) > version_of(first)


@only_large
def test_a_list_that_was_empty_for_a_night_has_to_be_so_twice_again(cube: Sandbox) -> None:
    """The first mistake is forgotten when the rows come again."""
    state, catalog = sync(cube, **only(*TWO)).state, full(cube, **only(*TWO))
    for _ in range(2):
        cube.before_request = lambda r: cube.faults.extend(
            [Fault("not-json", at=r.number, body=EMPTY)] if of_b2c(r) else []
        )
        weekly = sync(cube, state=aged(state), catalog=catalog, **only(*TWO))
        assert "Not read: data_owners/2/B2C" in kept(weekly)
        mend(cube)
        night = sync(cube, state=weekly.state, **only(*TWO))
        assert CUSTOMERS in activated(night)
        state = night.state


@only_large
def test_details_alone_are_not_deleted_with_their_crm(cube: Sandbox) -> None:
    """Their customers are deselected, but were read: of a CRM that has gone, or seems empty."""
    catalog = full(cube, OF_CUSTOMERS, **only(*TWO))
    set_selected(entry_of(catalog), selected=False)
    first = sync(cube, catalog=catalog, **only(*TWO))
    assert OF_CUSTOMERS in activated(first)
    without = sync(cube, state=first.state, catalog=catalog, **only(CRM))
    assert "Earlier runs read data_owners/2/B2C" in kept(without, OF_CUSTOMERS)
    cube.account.delete((2, "B2C"), cube.account.customer_ids((2, "B2C")))
    empty = sync(cube, state=first.state, catalog=catalog, **only(*TWO))
    assert OF_CUSTOMERS not in activated(empty)


def test_details_without_customers_have_a_schema(cube: Sandbox) -> None:
    """Targets take no ACTIVATE_VERSION of a stream that they do not know."""
    cube.account.delete(CRM, cube.account.customer_ids(CRM))
    run = sync(cube, selected=[OF_CUSTOMERS], **only(CRM))
    assert OF_CUSTOMERS in activated(run)
    types = [m["type"] for m in run.messages if m.get("stream") == OF_CUSTOMERS]
    assert types == ["SCHEMA", "ACTIVATE_VERSION"]
