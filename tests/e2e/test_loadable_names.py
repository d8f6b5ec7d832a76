"""Labels that PostgreSQL or its target would stumble over, loaded twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cube_sandbox import Sandbox
from tests.support.pipe import load

if TYPE_CHECKING:
    from tests.support.warehouse import Warehouse

pytestmark = pytest.mark.slow

EXTRA = "call_outcome__extra__"
PERCENT = "Fast ansatt over 50 %"
QUESTION = "Hvor mange ansatte har bedriften i dag, innleide og vikarer medregnet?"


@pytest.mark.parametrize("campaign", [1, 9], ids=["seen while reading", "seen by discovery"])
def test_any_label_becomes_a_column(campaign: int, warehouse: Warehouse) -> None:
    """Neither a percent sign nor a label longer than a name hinders a load, nor melts columns."""
    with Sandbox(customers=5, outcomes=2) as cube:
        said = {PERCENT: "Nei", QUESTION: "12", f"{QUESTION} (2)": "13"}
        cube.account.add_outcome(campaign, type="Booked", extras=said)
        config = {"api_url": cube.url, "auth_token": cube.token}
        first = load(config, warehouse)
        assert (first.tap_returncode, first.target_returncode) == (0, 0), first.target_stderr
        second = load(config, warehouse, state=first.state)
        assert (second.tap_returncode, second.target_returncode) == (0, 0), second.target_stderr
    (row,) = (
        row
        for row in warehouse.table("cube.call_outcomes")
        if row["call_outcome__type"] == "Booked" and "12" in row.values()
    )
    found = {name: value for name, value in row.items() if name.startswith(EXTRA) and value}
    assert sorted(found.values()) == ["12", "13", "Nei"]
    assert found[f"{EXTRA}Fast ansatt over 50 percent"] == "Nei"
