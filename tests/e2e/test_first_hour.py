"""README and the pages that it leads to, command by command, as a reader follows them."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from cube_sandbox import Sandbox
from cube_sandbox.faults import Fault
from tests.repository import hub
from tests.repository.docs import PLUGIN, ROOT
from tests.support.documented import fenced
from tests.support.judges import DLT
from tests.support.reader import Terminal, deselected, selected, tables
from tests.support.runs import CRM, CUSTOMERS
from tests.support.sizes import only_large
from tests.support.warehouse import PLACEHOLDER, TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.warehouse import Warehouse

pytestmark = [pytest.mark.slow, only_large]

README, MELTANO, FILES = "README.md", "docs/meltano.md", "docs/batch.md"
LOAD, PIPE, NIGHTS = (
    "First load with Meltano",
    "First load without Meltano",
    "Every night and every week",
)
DETAILS = {"assignment_customer_details", "data_owner_customer_details"}
STATE = "tap-cube-to-target-postgres"


@pytest.fixture
def cube() -> Iterator[Sandbox]:
    """An account of some weeks."""
    with Sandbox(customers=40, outcomes=50, page_size=15) as sandbox:
        yield sandbox


@pytest.fixture
def terminal(
    cube: Sandbox,
    warehouse: Warehouse,
    tmp_path: Path,
    wheel: Path,
    with_own_caches: dict[str, str],
) -> Terminal:
    """A reader's terminal, with the repository's definitions in a folder."""
    quiet = {
        "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false",
        "MELTANO_CLI_DISABLE_VERSION_CHECK": "true",
    }
    own = {
        "(?m)^TAP_CUBE_API_URL=.*": f"TAP_CUBE_API_URL='{cube.url}'",
        "(?m)^TAP_CUBE_AUTH_TOKEN=.*": f"TAP_CUBE_AUTH_TOKEN='{cube.token}'",
        r"https://raw\S+/hub/": f"{tmp_path}/",
        r"git\+https://\S+": str(wheel),
        re.escape(PLACEHOLDER): warehouse.sqlalchemy_url,
    }
    terminal = Terminal(tmp_path / "work", with_own_caches | quiet, own)
    for name in (hub.DEFINITION, hub.LOADER):
        (tmp_path / name).write_text(terminal.filled_in((hub.FOLDER / name).read_text()))
    terminal.folder.mkdir()
    return terminal


def test_a_reader_loads_with_meltano(
    cube: Sandbox, warehouse: Warehouse, terminal: Terminal
) -> None:
    """From nothing to tables, questions, nights, erasure, selection, states and files."""
    setup, load = fenced(README, "sh", LOAD)
    terminal.run(setup)
    terminal.folder /= "warehouse"
    terminal.save(".env", *fenced(README, "dotenv", LOAD))
    (labels,) = fenced(MELTANO, "sh", "Personal data")
    (ask,) = fenced(MELTANO, "sql", "Personal data")
    terminal.run(labels)
    assert {"lookup__id": "crm__custom_info__17", "key": "Klassifisering"} in warehouse.rows(ask)
    terminal.run(load)
    assert tables(warehouse) == {*TABLES}

    _nights(cube, warehouse, terminal)
    _selection_and_state(terminal)
    _files(cube, warehouse, terminal)


def _nights(cube: Sandbox, warehouse: Warehouse, terminal: Terminal) -> None:
    """README's jobs: a nightly run brings a change, a weekly one erases; a query proves it."""
    (jobs,), (crontab,) = fenced(README, "yaml", NIGHTS), fenced(README, "text", NIGHTS)
    terminal.paste(jobs)
    nightly, weekly = re.findall(r"&& (.+)$", crontab, re.MULTILINE)
    changed, erased, *_ = filter(None, cube.account.customer_ids(CRM))
    number = cube.account.add_definition(CRM, "Rabatt", type="number")
    cube.account.update_customer(CRM, changed, name="Nytt AS", custom={number: "12.5"})
    cube.account.anonymise(CRM, erased)
    terminal.run(nightly)
    columns = warehouse.columns("tap_cube", CUSTOMERS)
    assert columns[f"crm__custom_info__{number}"] == "numeric"
    names = {row["customer_id"]: row["crm__standard_info__name"] for row in customers(warehouse)}
    assert names[changed] == "Nytt AS"
    assert erased in names
    terminal.run(weekly)
    assert erased not in {row["customer_id"] for row in customers(warehouse)}
    _, prove, _ = fenced("docs/erasure.md", "sql")
    function, query = prove.rsplit("\n\n", 1)
    with warehouse.database.connect() as connection:
        connection.execute(function.encode())
        loads = connection.execute(query.encode()).fetchall()
    assert len(loads) == len(TABLES)
    assert {(older, marked) for *_, older, marked in loads} == {(0, 0)}


def _selection_and_state(terminal: Terminal) -> None:
    """docs/meltano.md: all streams, then one CRM; the state is listed, taken out and put back."""
    everything, back, one_crm = fenced(MELTANO, "sh", "Select")
    dump = "meltano --log-level=error invoke --dump=catalog tap-cube 2>/dev/null"
    terminal.run(everything)
    assert selected(json.loads(terminal.run(dump))) == {*TABLES, *DETAILS}
    said = terminal.run(back + one_crm)
    assert set(re.findall(r"\s(\w+): \d+ rows? emitted", said)) == {CUSTOMERS}
    path = terminal.folder / "meltano.yml"
    project = yaml.safe_load(before := path.read_text())
    (extractor,) = project["plugins"]["extractors"]
    assert extractor["select"] == PLUGIN["select"]
    (by_hand,) = fenced(MELTANO, "yaml", "Select")
    extractor |= yaml.safe_load(by_hand)["plugins"]["extractors"][0]
    path.write_text(yaml.safe_dump(project))
    catalog = json.loads(terminal.run(dump))
    assert selected(catalog) == {*TABLES}
    assert f"{CUSTOMERS}.crm__standard_info__name" in deselected(catalog)
    path.write_text(before)
    (states,) = fenced(MELTANO, "sh", "State")
    take, clear = states.rsplit("meltano state clear", 1)
    said = terminal.run(take)
    assert f"dev:{STATE}" in said
    state = json.loads((terminal.folder / "state.json").read_text())
    assert CUSTOMERS in state["singer_state"]["bookmarks"]
    terminal.run(f"meltano state clear{clear}")
    assert f"dev:{STATE}" not in terminal.run("meltano state list").splitlines()
    terminal.run(f"meltano state set --force --input-file state.json dev:{STATE}")


def _files(cube: Sandbox, warehouse: Warehouse, terminal: Terminal) -> None:
    """docs/batch.md: the pipeline goes on by files, from the state of the messages."""
    (environment,) = fenced(FILES, "yaml", "Files every night")
    copy, load = fenced(FILES, "sh", "Files every night")
    terminal.paste(environment)
    changed, *_ = filter(None, cube.account.customer_ids(CRM))
    cube.account.update_customer(CRM, changed, name="Enda nyere AS")
    assert goes_on(terminal.run(copy + load))
    first = set((terminal.folder / ".meltano/batches").iterdir())
    assert first
    names = {row["customer_id"]: row["crm__standard_info__name"] for row in customers(warehouse)}
    assert names[changed] == "Enda nyere AS"
    state = f"batch:{STATE}"
    terminal.run(
        f"meltano state get {state} > state.json && meltano state clear --force {state} && "
        f"meltano state set --force --input-file state.json {state}\n{load}"
    )
    assert not first & set((terminal.folder / ".meltano/batches").iterdir())


def test_a_reader_loads_by_pipe(
    cube: Sandbox, warehouse: Warehouse, tmp_path: Path, terminal: Terminal
) -> None:
    """Both programs are installed and tested; a night goes on from one that failed, or begins."""
    install, test, nightly = fenced(README, "sh", PIPE)
    (settings,) = fenced(README, "json", PIPE)
    bin_folder = tmp_path / "bin"
    terminal.environment = {
        **terminal.environment,
        "UV_TOOL_DIR": str(tmp_path / "tools"),
        "UV_TOOL_BIN_DIR": str(bin_folder),
        "PATH": f"{bin_folder}:{terminal.environment['PATH']}",
    }
    terminal.run(install)
    assert {each.name for each in bin_folder.iterdir()} == {"tap-cube", "target-postgres"}
    terminal.save(".env", *fenced(README, "dotenv", LOAD))
    terminal.save("target.json", settings)
    assert f"{CUSTOMERS}: ok, 15 rows seen" in terminal.run(test)

    terminal.save("load.sh", nightly)
    terminal.run("sed -i.right s/^TAP_CUBE_AUTH_TOKEN=.*/TAP_CUBE_AUTH_TOKEN=wrong/ .env")
    terminal.run("bash load.sh", is_failing=True)
    terminal.run("mv .env.right .env; echo TAP_CUBE_MAX_RETRIES=0 >> .env")
    cube.faults = [Fault("500", row="C2", page=2)]
    terminal.run("bash load.sh", is_failing=True)
    assert warehouse.count("tap_cube.call_outcomes") == 200
    cube.faults = []
    assert re.search(r"[1-9]\d* unchanged skipped", terminal.run("bash load.sh"))
    terminal.run("truncate -s -40 states.jsonl")  # as a full disk or a killed target leaves it
    assert re.search(r"[1-9]\d* unchanged skipped", terminal.run("bash load.sh"))
    assert warehouse.count(f"tap_cube.{CUSTOMERS}") == 120
    assert tables(warehouse) == {*TABLES}
    assert "bookmarks" in json.loads((terminal.folder / "state.json").read_text())


def test_a_reader_pastes_the_definition(warehouse: Warehouse, terminal: Terminal) -> None:
    """The definition that `--from-ref` would write loads the same tables."""
    project = yaml.safe_load((ROOT / "meltano.yml").read_text())
    del project["plugins"]["extractors"]
    terminal.save("meltano.yml", yaml.safe_dump(project))
    terminal.paste(*fenced(MELTANO, "yaml", "The plugin, written out"))
    terminal.save(".env", *fenced(README, "dotenv", LOAD))
    terminal.run(f"meltano install extractor tap-cube\n{fenced(README, 'sh', LOAD)[1]}")
    assert tables(warehouse) == {*TABLES}


def test_a_reader_loads_with_dlt(
    cube: Sandbox, tmp_path: Path, with_own_caches: dict[str, str]
) -> None:
    """The example runs as docs/targets.md has it, and goes on in the next night."""
    DLT.install()
    (commands,) = fenced("docs/targets.md", "sh", "dlt")
    shutil.copy(ROOT / "examples/load_with_dlt.py", tmp_path)
    (tmp_path / "config.json").write_text(
        json.dumps({"api_url": cube.url, "auth_token": cube.token})
    )
    environment = with_own_caches | {"DLT_DATA_DIR": str(tmp_path / "dlt")}
    terminal = Terminal(tmp_path, environment, {"uv run": str(DLT.program)})
    terminal.run(commands)
    _, nightly = commands.splitlines()
    assert goes_on(terminal.run(nightly))
    assert "bookmarks" in json.loads((tmp_path / "state.json").read_text())


def goes_on(said: str) -> bool:
    """Whether a load skipped what an earlier one brought: it had that one's state."""
    return re.search("[1-9][0-9]* unchanged skipped", said) is not None


def customers(warehouse: Warehouse) -> list[dict[str, Any]]:
    """The rows of a CRM's customers."""
    return [row for row in warehouse.table(f"tap_cube.{CUSTOMERS}") if row["crm_type"] == CRM[1]]
