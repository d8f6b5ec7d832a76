"""What the demo changes in the account between its two loads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import requests

from cube_sandbox.demo_checks import expect
from cube_sandbox.demo_tables import Customer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cube_sandbox.account import Account
    from cube_sandbox.sandbox import Sandbox

ASSIGNMENT, CRM = 12, (1, "B2C")
"""Two names of the same customers."""

CAMPAIGN, CALLED_CRM = 2, (2, "B2B")
"""A campaign and the CRM that it calls."""

AGENT = "another.agent@example.com"
_, _, _EMAIL, _, _CUSTOM = Customer.COLUMNS
_IN_RESPONSE = ("crm__customer_id", *Customer.COLUMNS[1:3], "crm__change_log__updated", _CUSTOM)


@dataclass(frozen=True, slots=True)
class Changes:
    """What a load after the changes brings.

    Attributes:
        customers: The changed customers by their key, for each of their tables.
        called: The key of the changed row in `callflow_customers`.
        agent: The agent of the new and changed events.
    """

    customers: Mapping[str, dict[str, Customer]]
    called: str
    agent: str = AGENT


def change(cube: Sandbox, customers: Sequence[Customer]) -> Changes:
    """Change customers of `CRM` through the API, and add and change events.

    Raises:
        DemoError: The API refused a change.
    """
    changed = _change_customers(cube, customers)
    return Changes(
        customers={
            "assignment_customers": {f"{ASSIGNMENT}/{each.customer_id}": each for each in changed},
            "data_owner_customers": {
                f"{CRM[0]}/{CRM[1]}/{each.customer_id}": each for each in changed
            },
        },
        called=f"{CAMPAIGN}:{_call(cube.account)}",
    )


def _change_customers(cube: Sandbox, customers: Sequence[Customer]) -> list[Customer]:
    """Change the custom field of the last customer, and the e-mail address of the others.

    Returns:
        The customers as the API responds.
    """
    *others, last = customers
    bodies = [{_EMAIL: f"{each.email.partition('+')[0]}@example.net"} for each in others]
    bodies.append({_CUSTOM: "B" if last.custom != "B" else "C"})
    changed = []
    with requests.Session() as session:
        session.trust_env = False  # no proxy, no .netrc: this is loopback
        session.headers["Authorization"] = f"Token {cube.token}"
        for customer, body in zip(customers, bodies, strict=True):
            path = f"/api/v1/assignments/{ASSIGNMENT}/customers/{customer.customer_id}"
            response = session.put(cube.url + path, json=body, timeout=30)
            expect(response.status_code, requests.codes.ok, f"HTTP status of PUT {path}")
            record = response.json()
            changed.append(Customer(*(record[name] for name in _IN_RESPONSE)))
    return changed


def _call(account: Account) -> str:
    """Add and change events, which the API can only read; return the id of the called customer."""
    called = next(filter(None, account.customer_ids(CALLED_CRM)))
    account.reassign(account.outcomes(CAMPAIGN)[-1], by=AGENT)
    account.set_call_state(CAMPAIGN, called, state="Sale", by=AGENT)
    account.add_outcome(CAMPAIGN, called, type="Sale", by=AGENT, product="MPC")
    return called
