"""Customer details: which are requested, how many at once, and what is emitted."""

from __future__ import annotations

import gzip
import json
import threading
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from cube_sandbox import Fault
from tests.support.batch_runs import exact
from tests.support.runs import ASSIGNED, CRM, CUSTOMERS, ids, only, read, sync
from tests.support.singer_check import as_message
from tests.support.singles import (
    OF_ASSIGNED,
    OF_CUSTOMERS,
    SINGLES,
    asked,
    once_at_a_single,
    read_details,
    run_details,
)

if TYPE_CHECKING:
    from cube_sandbox import Request, Sandbox

SECONDS = 50
"""How long a broken test may hang; less than the timeout, after which a retry counts twice."""


def test_details_are_not_requested_by_default(cube: Sandbox) -> None:
    """They cost one request per customer, so the stream must be selected."""
    run = read(cube)
    assert run.records.keys().isdisjoint({OF_ASSIGNED, OF_CUSTOMERS})
    assert asked(cube) == []


@pytest.mark.parametrize(
    ("generation", "row", "parent"),
    [
        ("2017", "S2", ASSIGNED),
        ("2019", "S2", ASSIGNED),
        ("2019-draft", "S6", CUSTOMERS),
        ("2020", "C3", CUSTOMERS),
        ("all", "S2", ASSIGNED),
        ("all", "C3", CUSTOMERS),
    ],
)
def test_each_customer_is_requested_once_in_every_generation(
    cube: Sandbox, generation: str, row: str, parent: str
) -> None:
    """Details have the keys and columns of their parents, and the values of the endpoint."""
    cube.reset(generation=generation)
    details = parent.replace("customers", "customer_details")
    chosen = only(CRM) if parent == CUSTOMERS else {"assignment_ids": [9], "data_owners": []}
    run = read(cube, selected=[details], **chosen)
    assert run.returncode == 0, run.stderr
    customers, singles = run.records[parent], run.records[details]
    assert ids(singles) == ids(customers)
    assert {r.row for r in cube.requests if r.row in SINGLES} == {row}
    assert sorted(asked(cube)) == sorted(ids(customers))
    declared = [m["stream"] for m in run.messages if m["type"] == "SCHEMA"]
    assert declared.count(details) == 1  # though its parent has several pages
    assert run.schemas[details]["key_properties"] == run.schemas[parent]["key_properties"]
    by_id = {r["customer_id"]: r for r in customers}
    for single in singles:
        listed = by_id[single["customer_id"]]
        differing = {key for key in single if single[key] != listed.get(key)}
        if "crm__customer_id" in single:
            assert differing == set()
        else:  # T42, T33: the list has another id, and other fields are null
            assert single["external_customer_id"] == single["customer_id"]
            assert differing <= {"external_customer_id", "care_of_name", "municipality", "phone_3"}


def test_the_next_run_requests_only_changed_customers(cube: Sandbox) -> None:
    """Details are read for the rows that the parent emits: changes and the bookmark's day."""
    first = read_details(cube)
    changed = cube.account.customer_ids(CRM)[3]
    cube.account.update_customer(CRM, changed, name="Nytt Navn AS")
    cube.requests.clear()
    second = read_details(cube, state=first.state)
    assert changed in ids(second.records[OF_CUSTOMERS]) == ids(second.records[CUSTOMERS])
    assert asked(cube) == [r["customer_id"] for r in second.records[CUSTOMERS]]
    assert len(asked(cube)) < 3


def test_details_that_were_just_selected_come_in_full(cube: Sandbox) -> None:
    """Whatever was loaded without them before, and each time that they are selected anew."""
    everyone = set(cube.account.customer_ids(CRM))
    state = sync(cube, **only(CRM)).state
    for _ in range(2):
        selected = read_details(cube, state=state)
        assert ids(selected.records[OF_CUSTOMERS]) == ids(selected.records[CUSTOMERS]) == everyone
        changed = cube.account.customer_ids(CRM)[3]
        cube.account.update_customer(CRM, changed, name="Nytt Navn AS")
        later = read_details(cube, state=selected.state)
        assert changed in ids(later.records[OF_CUSTOMERS]) == ids(later.records[CUSTOMERS])
        assert len(later.records[CUSTOMERS]) < 3
        state = sync(cube, state=later.state, **only(CRM)).state


@pytest.mark.parametrize("fault", [Fault("500", row="C3", at=range(8, 99)), Fault("403", row="C3")])
def test_details_that_did_not_come_in_full_start_again(cube: Sandbox, fault: Fault) -> None:
    """A run that breaks off or may not see them is not the one that brought them."""
    first = read(
        cube,
        selected=[OF_CUSTOMERS],
        discovered=lambda: cube.faults.append(fault),
        assignment_ids=[],
        max_retries=0,
    )
    assert len(first.records.get(OF_CUSTOMERS, [])) < 12
    cube.faults.clear()
    second = read_details(cube, state=first.state)
    assert ids(second.records[OF_CUSTOMERS]) == set(cube.account.customer_ids(CRM))


def test_a_filter_on_the_parent_applies_to_details(cube: Sandbox) -> None:
    """Customers that the parent's stream map drops are not requested."""
    maps = {CUSTOMERS: {"__filter__": "updated >= '2024'"}}
    run = read_details(cube, stream_maps=maps)
    assert ids(run.records[CUSTOMERS]) == ids(run.records[OF_CUSTOMERS]) == set(asked(cube))
    assert 0 < len(asked(cube)) < 12


class Meeting:
    """Holds requests for details until `together` are in flight, and counts all requests."""

    def __init__(self, cube: Sandbox, together: int) -> None:
        """Watch the requests of an account."""
        self.has_met = False
        self.most = 0
        self._now = 0
        self._together = together
        self._lock = threading.Condition()
        self._cube = cube
        cube.before_request = self._see

    def _see(self, request: Request) -> None:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
            if request.row in SINGLES and len(asked(self._cube)) > 1:
                self.has_met |= self._now >= self._together
                self._lock.notify_all()
                assert self._lock.wait_for(lambda: self.has_met, SECONDS)
        self._cube.closing.wait(0.005)
        with self._lock:
            self._now -= 1


@pytest.mark.usefixtures("full_width")
@pytest.mark.parametrize("read_ahead", [0, 4])
def test_details_are_requested_concurrently_up_to_the_setting(
    cube: Sandbox, read_ahead: int
) -> None:
    """After the first one, `read_ahead` customers are requested at once, and never more."""
    meeting = Meeting(cube, max(1, read_ahead))
    run = read_details(cube, read_ahead=read_ahead)
    assert [r["customer_id"] for r in run.records[OF_CUSTOMERS]] == cube.account.customer_ids(CRM)
    assert meeting.has_met
    assert meeting.most <= max(1, read_ahead)


def test_parents_in_files_have_details_in_messages(cube: Sandbox, tmp_path: Path) -> None:
    """With `batch_config` the parent's rows are in files; details are still emitted."""
    storage = {
        "encoding": {"format": "jsonl", "compression": "gzip"},
        "storage": {"root": tmp_path.as_uri()},
    }
    run = run_details(cube, batch_config=storage)
    manifests = [
        path
        for message in run.messages
        if message["type"] == "BATCH" and message["stream"] == CUSTOMERS
        for path in message["manifest"]
    ]
    written = [
        as_message(exact(line))["record"]
        for path in manifests
        for line in gzip.decompress(Path(urlsplit(path).path).read_bytes()).splitlines()
    ]
    assert run.records[CUSTOMERS] == []
    assert [exact(json.dumps(record)) for record in run.records[OF_CUSTOMERS]] == written
    assert len(written) == 12


def test_a_field_that_only_the_single_record_has_becomes_a_column(cube: Sandbox) -> None:
    """A field added after the page was read is emitted with the details of the same run."""
    edited = cube.account.customer_ids(CRM)[-1]
    added: list[int] = []

    def edit() -> None:
        added.append(cube.account.add_definition(CRM, "Kaffe"))
        cube.account.update_customer(CRM, edited, custom={added[0]: "svart"})

    cube.reset(page_size=50)
    once_at_a_single(cube, edit)
    run = read_details(cube)
    name = f"crm__custom_info__{added[0]}"
    assert name not in run.schemas[CUSTOMERS]["schema"]["properties"]
    (single,) = (r for r in run.records[OF_CUSTOMERS] if r["customer_id"] == edited)
    assert single[name] == "svart"


def test_label_names_equal_those_of_the_parent(cube: Sandbox) -> None:
    """A field has the same name in lists and in details."""
    run = read_details(cube, custom_field_names="label")
    assert run.records[OF_CUSTOMERS] == run.records[CUSTOMERS]
    assert any(name.startswith("custom__") for name in run.records[OF_CUSTOMERS][0])
