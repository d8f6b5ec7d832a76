"""docs/meltano.md: personal data stays behind, as the page tells."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from cube_sandbox import Sandbox, Traps
from cube_sandbox.meltano_project import meltano_project
from tests.support.documented import fenced, shell
from tests.support.held import PATHS, pages
from tests.support.pipe import load
from tests.support.runs import ASSIGNED, CRM, CUSTOMERS
from tests.support.sizes import only_large
from tests.support.tap_process import run_tap

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cube_sandbox.meltano_project import MeltanoProject
    from tests.support.warehouse import Warehouse

pytestmark = pytest.mark.slow

PAGE = "docs/meltano.md"
DUMP = "meltano invoke --dump=config tap-cube"
HOLDERS = (
    CUSTOMERS,
    ASSIGNED,
    "data_owner_customer_details",
    "assignment_customer_details",
    "callflow_customers",
    "call_outcomes",
    "product_registrations",
)
"""The streams that show customers."""
REMOVED = {
    *(f"crm__standard_info__{name}" for name in ("name", "phone_1", "phone_2", "phone_3")),
    "unparsed_values",
    "callflow__last_change__comment",
    "call_outcome__comment",
}


@pytest.fixture
def cube() -> Iterator[Sandbox]:
    """An account with anonymised customers and values that do not fit their types."""
    with Sandbox(customers=12, page_size=5, anonymised=1, traps=Traps(mistyped=0.1)) as sandbox:
        yield sandbox


@pytest.fixture
def project(cube: Sandbox, warehouse: Warehouse) -> Iterator[MeltanoProject]:
    """The project's own Meltano project, with the page's settings for personal data."""
    (given,) = fenced(PAGE, "yaml", "Personal data")
    _, head, settings = given.partition("    config:\n")
    with meltano_project(cube, warehouse.database, CUBE_SALT="pepper") as lent:
        path = lent.folder / "meltano.yml"
        text, times = re.subn(
            r"(?m)^(?=    use_cached_catalog:)", head + settings, path.read_text()
        )
        assert times == 1
        path.write_text(text)
        yield lent


@only_large
def test_personal_data_stays_behind_and_is_forgotten(
    cube: Sandbox, warehouse: Warehouse, project: MeltanoProject
) -> None:
    """Addresses come as salted hashes, numbers not at all; who is anonymised later disappears."""
    cube.account.add_customer(CRM, customer_id="007", name="Ny AS", email="Ny+7@example.com")
    cube.account.set_call_state(2, "007", state="Sale", comment="Ny AS vil ha ny avtale")
    cube.account.add_outcome(2, "007", type="Sale", product="MPC", comment="Ring Ny AS i mai")
    private = [
        value.lower()
        for crm in PATHS.values()
        for row in pages(cube, f"{crm}/customers/")
        for name, value in row.items()
        if value and name.startswith(("crm__standard_info__phone", "crm__standard_info__email"))
    ]
    shell(f"{DUMP} > config.json", project.folder, project.environment)
    config = json.loads((project.folder / "config.json").read_text())
    assert config["api_url"] == cube.url
    catalog = run_tap(config, extra_args=["--discover"]).catalog
    load_all(config, catalog, warehouse)
    before = texts(warehouse)
    known = [name for name, text in before.items() if digest("ny+7@example.com") in text]
    assert sorted(known) == sorted(HOLDERS)
    for name in HOLDERS:
        assert not REMOVED & warehouse.columns("tap_cube", name).keys()
    for text in before.values():
        assert not [value for value in [*private, "ring ny as", "ny avtale"] if value in text]

    cube.account.anonymise(CRM, "007")
    load_all(config, catalog, warehouse)
    assert not [n for n, text in texts(warehouse).items() if digest("ny+7@example.com") in text]
    assert warehouse.count(f"tap_cube.{CUSTOMERS}") == sum(
        map(cube.account.count, cube.account.crms)
    )


def load_all(config: Mapping[str, Any], catalog: dict[str, Any], warehouse: Warehouse) -> None:
    """Load every stream whole, those of details included."""
    for entry in catalog["streams"]:
        (root,) = (part for part in entry["metadata"] if not part["breadcrumb"])
        root["metadata"]["selected"] = True
    erasing = {"hard_delete": True}
    done = load(config, warehouse, "tap_cube", catalog=catalog, target=erasing)
    assert (done.tap_returncode, done.target_returncode) == (0, 0), done.tap_stderr


def texts(warehouse: Warehouse) -> dict[str, str]:
    """Everything that each table holds, in small letters."""
    tables = warehouse.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'tap_cube'")
    names = [table["tablename"] for table in tables]
    return {name: str(warehouse.table(f"tap_cube.{name}")).lower() for name in names}


def digest(address: str) -> str:
    """What the page makes of an e-mail address."""
    return hashlib.sha256(f"pepper{address}".encode()).hexdigest()
