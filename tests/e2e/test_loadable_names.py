"""Labels that PostgreSQL or its target would stumble over, loaded twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cube_sandbox import Sandbox
from tests.support.pipe import load
from tests.support.sizes import only_large

if TYPE_CHECKING:
    from tests.support.warehouse import Warehouse

pytestmark = [pytest.mark.slow, only_large]

EXTRA = "call_outcome__extra__"
PERCENT = "{}ansatt over 50 %"
QUESTION = "{}hvor mange ansatte har bedriften i dag, innleide og vikarer medregnet?"
MET_WHILE_READING, SEEN_BY_DISCOVERY = 1, 9
"""Campaigns by how the columns of their answers come in."""


def test_any_label_becomes_a_column(warehouse: Warehouse) -> None:
    """Neither a percent sign nor a label longer than a name hinders a load, nor melts columns."""
    campaigns = {MET_WHILE_READING: "Fast ", SEEN_BY_DISCOVERY: "Deltids"}
    with Sandbox(customers=5, outcomes=2) as cube:
        for campaign, word in campaigns.items():
            question = QUESTION.format(word)
            said = {PERCENT.format(word): "Nei", question: "12", f"{question} (2)": f"{campaign}3"}
            cube.account.add_outcome(campaign, type="Booked", extras=said)
        config = {"api_url": cube.url, "auth_token": cube.token}
        first = load(config, warehouse)
        assert (first.tap_returncode, first.target_returncode) == (0, 0), first.target_stderr
        second = load(config, warehouse, state=first.state)
        assert (second.tap_returncode, second.target_returncode) == (0, 0), second.target_stderr
    loaded = warehouse.table("cube.call_outcomes")
    for campaign, word in campaigns.items():
        (row,) = (row for row in loaded if f"{campaign}3" in row.values())
        found = {name: value for name, value in row.items() if name.startswith(EXTRA) and value}
        assert sorted(found.values()) == sorted(["12", f"{campaign}3", "Nei"])
        assert found[f"{EXTRA}{word}ansatt over 50 percent"] == "Nei"
