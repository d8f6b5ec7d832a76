"""One output, many readers: PostgreSQL, CSV, JSON lines and a checker hold what Cube holds."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from cube_sandbox import Sandbox, Traps
from cube_sandbox.custom_fields import KINDS
from tests.support import held
from tests.support.judges import SINGER_CHECK_TAP, TARGET_CSV, TARGET_JSONL, run
from tests.support.runs import ASSIGNED, CRM, CUSTOMERS, read, sync
from tests.support.sizes import only_large, scaled
from tests.support.tap_process import SCRIPTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tests.support.held import Row
    from tests.support.tap_process import TapRun
    from tests.support.warehouse import Warehouse

pytestmark = pytest.mark.slow

Tables: TypeAlias = "dict[str, list[Row]]"

PLACE = {
    ASSIGNED: {"assignment_id": "9"},
    CUSTOMERS: {"data_owner_id": "2", "crm_type": "B2B"},
}
KEYS = {
    ASSIGNED: ("assignment_id", "customer_id"),
    CUSTOMERS: ("data_owner_id", "crm_type", "customer_id"),
    "campaigns": ("campaign__id",),
    "custom_fields": ("source", "id"),
    "callflow_customers": ("callflow_key",),
    "call_outcomes": ("call_outcome_key",),
    "product_registrations": ("product_registration_key",),
}
BETWEEN, MEANWHILE = "Årsbeløp på avtalen", "Månedens «tilbud» %"
ODD = "  Æ\"ø'å,;\t\\ \r\n§ linje\u2028skille 😀 "
TYPES = {
    "Postnummer": {"text", "character varying"},
    "Lånebeløp": {"numeric", "double precision"},
    "Antall år": {"bigint"},
    "Samtykke for TM": {"boolean"},
    "Etablert": {"date"},
    "Siste kontakt": {"timestamp without time zone", "timestamp with time zone"},
    BETWEEN: {"numeric", "double precision"},
    MEANWHILE: {"text", "character varying"},
}


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    """Run an account with a fixed present day."""
    with Sandbox(customers=20, page_size=8, today=date(2024, 5, 17)) as cube:
        yield cube


@pytest.fixture
def cube(running: Sandbox) -> Sandbox:
    """Hand out the account as if it had just begun."""
    running.reset()
    return running


def two_runs(cube: Sandbox, naming: str) -> list[TapRun]:
    """Sync twice; one field is added and filled between the runs, one during the second."""
    (comment,) = (n for n, label in cube.account.definitions(CRM).items() if label == "Kommentar")
    cube.account.add_customer(CRM, customer_id="007", name=ODD, custom={comment: ODD, 62: "0235"})
    options: dict[str, Any] = {"custom_field_names": naming, "read_ahead": 0}
    first = sync(cube, **options)
    number = cube.account.add_definition(CRM, BETWEEN, type="tall")
    cube.account.update_customer(CRM, "007", custom={number: "12.5"})
    added: list[int] = []

    def edit(request: Any) -> None:  # noqa: ANN401 - the sandbox's Request
        if request.row == "S1" and request.page == 2 and not added:
            added.append(cube.account.add_definition(CRM, MEANWHILE))
            cube.account.update_customer(CRM, "007", custom={added[0]: ODD})

    cube.before_request = edit
    return [first, sync(cube, state=first.state, **options)]


def columns_of(cube: Sandbox, runs: list[TapRun], stream: str) -> dict[str, str]:
    """The column of each custom field: the one with its label as the title, else Cube's name."""
    properties = runs[-1].schemas[stream]["schema"]["properties"]
    titled = {properties[name]["title"]: name for name in properties if name.startswith("custom__")}
    return {
        label: titled.get(label, f"crm__custom_info__{number}")
        for number, label in cube.account.definitions(CRM).items()
    }


def keyed(stream: str, rows: Iterable[Row]) -> dict[tuple[str, ...], Row]:
    """The rows of a stream by key; of one that came again the last counts."""
    return {tuple(str(row[name]) for name in KEYS[stream]): row for row in rows}


@dataclass(frozen=True, slots=True)
class Loading:
    """What is loaded, and where to.

    Attributes:
        runs: The outputs, in order.
        folder: Where settings and files are.
        warehouse: Where tables are.
    """

    runs: list[TapRun]
    folder: Path
    warehouse: Warehouse

    def settings(self, **settings: object) -> list[str]:
        """The option that gives a target its settings."""
        path = self.folder / "settings.json"
        path.write_text(json.dumps(settings))
        return ["--config", str(path)]

    def into_postgres(self) -> Tables:
        """Load both outputs, and read the tables."""
        option = self.settings(
            sqlalchemy_url=self.warehouse.sqlalchemy_url,
            default_target_schema="cube",
            load_method="upsert",
        )
        for output in self.runs:
            run([str(SCRIPTS / "target-postgres"), *option], output.stdout)
        return {stream: self.warehouse.table(f"cube.{stream}") for stream in KEYS}

    def into_json_lines(self) -> Tables:
        """Append both outputs to files, and read them."""
        option = self.settings(destination_path=str(self.folder), do_timestamp_file=False)
        for output in self.runs:
            TARGET_JSONL.hear(output.stdout, *option, cwd=self.folder)
        files = {stream: self.folder / f"{stream}.jsonl" for stream in KEYS}
        return {
            stream: [json.loads(line) for line in file.read_bytes().splitlines()]
            for stream, file in files.items()
        }

    def into_csv(self) -> Tables:
        """Write both outputs to files of their own, and read them."""
        tables: Tables = {stream: [] for stream in KEYS}
        for number, output in enumerate(self.runs):
            path = self.folder / str(number)
            option = self.settings(output_path=str(path))
            TARGET_CSV.hear(output.stdout, *option, cwd=self.folder)
            for stream in tables:
                file = path / f"{stream}.csv"
                with file.open(encoding="utf-8", newline="") as lines:
                    tables[stream].extend(csv.DictReader(lines))
        return tables


@only_large  # by default, the tests of Meltano and of `test_pipe` fill PostgreSQL
@pytest.mark.parametrize("naming", ["original", "label"])
def test_every_target_holds_what_cube_holds(
    cube: Sandbox, warehouse: Warehouse, tmp_path: Path, naming: str
) -> None:
    """Rows, values and types are the account's, fields added between and during runs included."""
    runs = two_runs(cube, naming)
    loading = Loading(runs, tmp_path, warehouse)
    targets = [loading.into_postgres(), loading.into_json_lines(), loading.into_csv()]
    expected = {
        ASSIGNED: sum(map(cube.account.count, cube.account.assignments)),
        CUSTOMERS: sum(map(cube.account.count, cube.account.crms)),
        "campaigns": 4,
        # The definitions that discovery read: the column of MEANWHILE came before its definition.
        "custom_fields": 5 * len(KINDS) + 2 * len([BETWEEN]),
        "callflow_customers": cube.account.call_state_count(),
        "call_outcomes": cube.account.outcome_count(),
        "product_registrations": cube.account.registration_count(),
    }
    fields = held.fields(cube) | {BETWEEN: "number"}
    customers = {stream: held.customers(cube, stream, fields) for stream in PLACE}
    events = {stream: held.happened(cube, stream) for stream in held.EVENTS}
    for tables in targets:
        found = {stream: keyed(stream, rows) for stream, rows in tables.items()}
        assert {stream: len(rows) for stream, rows in found.items()} == expected
        for stream in PLACE:
            columns = columns_of(cube, runs, stream)
            assert customers[stream] == {
                key[-1]: held.values(row, fields, columns)
                for key, row in found[stream].items()
                if is_in(row, stream)
            }
        for stream, account in events.items():
            assert held.identities(stream, found[stream].values()) == account
    assert warehouse.columns("cube", CUSTOMERS)["data_owner_id"] == "bigint"
    for stream in PLACE:
        columns, types = columns_of(cube, runs, stream), warehouse.columns("cube", stream)
        assert all(types[columns[label]] in TYPES[label] for label in TYPES), types
        assert types["updated"] == "date"
        assert (columns["Antall år"] == "custom__antall_ar") == (naming == "label")
        (row,) = (r for r in targets[0][stream] if r["customer_id"] == "007")
        assert (float(row[columns[BETWEEN]]), row[columns[MEANWHILE]]) == (12.5, ODD)


def is_in(row: Row, stream: str) -> bool:
    """Whether a row is one of the CRM whose values are compared."""
    return all(str(row[name]) == value for name, value in PLACE[stream].items())


@pytest.mark.parametrize(
    "generation",
    scaled(
        ["2017", "all"],
        ["2016-query", "2016-path", "2017", "2019", "2019-draft", "2020", "all"],
    ),
)
def test_readers_of_others_accept_every_stream(
    cube: Sandbox, tmp_path: Path, generation: str
) -> None:
    """However odd the account, the oldest checker and two targets read all of its output."""
    cube.reset(generation=generation, anonymised=3, undated=2, traps=Traps(mistyped=0.2))
    settings: dict[str, Any] = {} if cube.rows & {"C1"} else {"assignment_ids": [9, 12]}
    output = read(cube, **settings)
    assert output.returncode == 0, output.stderr
    verdict = SINGER_CHECK_TAP.hear(output.stdout, cwd=tmp_path)
    assert "The output is valid." in verdict
    for stream, records in output.records.items():
        (line,) = (line for line in verdict.splitlines() if f"| {stream} " in line)
        assert int(line.split("|")[2]) == len(records) > 0
    for target in (TARGET_JSONL, TARGET_CSV):
        state = target.hear(output.stdout, cwd=tmp_path)
        assert json.loads(state.splitlines()[-1]) == output.state


def test_the_checker_refuses_what_is_wrong(cube: Sandbox, tmp_path: Path) -> None:
    """A record that does not fit its schema does not pass: the verdicts above mean something."""
    output = read(cube)
    broken = output.stdout.replace('"updated":"', '"updated":"x', 1)
    assert broken != output.stdout
    for judge in (SINGER_CHECK_TAP, TARGET_CSV):
        with pytest.raises(AssertionError):
            judge.hear(broken, cwd=tmp_path)
