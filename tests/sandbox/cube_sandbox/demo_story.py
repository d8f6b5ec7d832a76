"""What the demo shows and explains: two loads, and what changed between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text

from cube_sandbox.demo_changes import CRM, change
from cube_sandbox.demo_checks import Snapshot, check_tables, expect
from cube_sandbox.demo_tables import KEYS, LOOKBACK_DAYS, SCHEMA, Customer, Tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cube_sandbox.demo_changes import Changes
    from cube_sandbox.demo_output import Output
    from cube_sandbox.meltano_project import MeltanoProject
    from cube_sandbox.sandbox import Sandbox

INTRODUCTION = (
    "[bold]From a call centre into PostgreSQL, with invented people[/]\n"
    "The demo starts a Cube account and a database on this machine. Meltano loads the account "
    "into the database, a few things change in Cube, and Meltano loads again. This takes 15 to "
    "30 seconds, and nothing of it remains.\n"
)
NEXT = """
[bold]Next[/], paste one of these:
  [cyan]uv run --locked cube-sandbox serve --postgres[/]
    such an account and database again, to load and query by yourself
  [cyan]uv run --locked tap-cube --about --format=markdown[/]
    all settings; your own account needs api_url and auth_token
  [cyan]less +/"First load with Meltano" README.md[/]
    how to load your own account"""

SHOWN, CHANGED = 5, 3
_OWNER, _TYPE = CRM
_CUSTOM_FIELD = Customer.COLUMNS[-1]
_NUMBER = int(_CUSTOM_FIELD.rpartition("_")[2])
_PLUGINS = ("tap-cube", "target-postgres")
_TABLE = f"table in schema {SCHEMA}"


@dataclass(frozen=True, slots=True)
class Story:
    """An account, a Meltano project that loads it, and the tables that it fills."""

    out: Output
    cube: Sandbox
    project: MeltanoProject
    tables: Tables

    def tell(self) -> None:
        """Load, change and load again.

        Raises:
            DemoError: The tables differ from the account.
        """
        day = self.cube.day
        self._show_account()
        self._load("1. First load")
        self._show_tables()
        label = self._label()
        shown = self._some_customers()
        self._show_customers(shown, label)

        before = Snapshot.of(self.tables, day)
        self.out.text("")
        with self.out.step("[bold]2. Changes in Cube[/]"):
            changes = change(self.cube, shown[:CHANGED])
        self.out.text(
            f"Two customers get another e-mail address, and one another {label}. An agent sells "
            "a product, and a call of a colleague is re-assigned to this agent."
        )

        self._load("3. Second load")
        written = before.check(self.tables, changes)
        counts = check_tables(self.cube.account, self.tables)
        self._show_changes(shown, changes, label)
        self.out.text("")
        self.out.table(
            (_TABLE, "rows", "new or changed", "written again"),
            [(name, counts[name], *written[name]) for name in KEYS],
        )
        self.out.text(
            "Exactly these rows were written, as the demo has checked. A changed customer is in "
            "both tables of customers. Cube gives the day of a change, not the time, so tap-cube "
            f"writes the last {LOOKBACK_DAYS} days again (lookback_days). A row replaces the "
            "earlier one with the same key."
        )

    def _load(self, title: str) -> None:
        self.out.text("")
        with self.out.step(f"[bold]{title}: [cyan]meltano run {' '.join(_PLUGINS)}[/][/]"):
            self.project.run(*_PLUGINS)

    def _show_account(self) -> None:
        account, customers = self.cube.account, self.cube.customers
        owners = len({owner for owner, _ in account.crms})
        self.out.text("\nCube is a CRM and call centre. This account has")
        self.out.table(
            (),
            [
                (owners, "data owners", "organisations whose customers are called"),
                (
                    len(account.crms),
                    "CRMs",
                    f"their lists: {customers} people (B2C) or companies (B2B) each",
                ),
                (
                    len(account.assignments),
                    "assignments",
                    "CRMs by their older name: the same customers once more",
                ),
                (len(account.campaigns), "campaigns", "each calls the customers of a CRM"),
            ],
        )

    def _show_tables(self) -> None:
        """Show what each table holds."""
        account, each = self.cube.account, self.cube.customers
        in_cube, found = check_tables(account, self.tables), self.tables.counts()
        crms, assignments = len(account.crms), len(account.assignments)
        meanings = {
            "data_owner_customers": f"a customer: {crms} CRMs x {each}",
            "assignment_customers": f"the same ones: {assignments} assignments x {each}",
            "campaigns": "a campaign",
            "callflow_customers": "a customer's state in a campaign",
            "call_outcomes": "a call and its outcome",
            "product_registrations": "a product that was sold",
            "custom_fields": "the label of a custom field",
        }
        expect(meanings.keys(), in_cube.keys(), "explained tables")
        self.out.table(
            (_TABLE, "rows", "in Cube", "a row is"),
            [(name, found[name], in_cube[name], text) for name, text in meanings.items()],
        )
        self.out.text(
            "tap-cube reads Cube, target-postgres writes the tables, and Meltano runs both. Two "
            "more tables, assignment_customer_details and data_owner_customer_details, are "
            "deselected by default, since each of their rows takes a request."
        )

    def _label(self) -> str:
        """The label of the custom field that is shown."""
        label = self.tables.label(f"data_owners/{_OWNER}/{_TYPE}", _NUMBER)
        expect(label, self.cube.account.definitions(CRM)[_NUMBER], "label of the custom field")
        return label

    def _some_customers(self) -> list[Customer]:
        """The customers of one CRM that need the least space."""
        customers = self.tables.customers("data_owner_customers").items()
        in_crm = [each for key, each in customers if key.startswith(f"{_OWNER}/{_TYPE}/")]
        by_email = {each.email or each.customer_id: each for each in in_crm}
        return sorted(by_email.values(), key=lambda each: (not each.email, len(each.email)))[:SHOWN]

    def _show_customers(self, customers: Sequence[Customer], label: str) -> None:
        self.out.text(
            f"\n{len(customers)} customers of CRM {_TYPE} of data owner {_OWNER}, as they arrived:"
        )
        self.out.table(
            ("customer_id", "name", "email", "updated", label),
            [customer.cells for customer in customers],
            title=_CUSTOM_FIELD,
        )
        self.out.text(
            f"{label} is the label of custom field {_NUMBER} in this CRM, from the table "
            "custom_fields. Each CRM has its own fields."
        )

    def _show_changes(self, shown: Sequence[Customer], changes: Changes, label: str) -> None:
        """Show the changed customers before and after, the new values highlighted."""
        rows: list[tuple[str | Text, ...]] = []
        changed = changes.customers["data_owner_customers"].values()
        for old, new in zip(shown[:CHANGED], changed, strict=True):
            cells = [
                cell if cell == former else Text(cell, "bold green")
                for former, cell in zip(old.cells, new.cells, strict=True)
            ]
            rows += [("", *old.cells), ("->", *cells)]
        without_name = [(sign, number, *others) for sign, number, _, *others in rows]
        self.out.table(("", "customer_id", "email", "updated", label), without_name)
