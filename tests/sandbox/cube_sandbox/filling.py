"""Fills the database of a sandbox, from a copy where the same content was made before."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.core.management.color import no_style
from django.db import connections
from rest_framework.authtoken.models import Token

from cube_sandbox import content
from cube_sandbox.copies import COPIES
from cube_sandbox.history import History
from cube_sandbox.models import (
    CallState,
    Campaign,
    Crm,
    Customer,
    Definition,
    Note,
    Outcome,
    Registration,
)

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from cube_sandbox.sandbox import Sandbox

_CONTENT = (Token, Crm, Definition, Customer, Registration, Outcome, CallState, Note, Campaign)


def options(cube: Sandbox) -> Hashable:
    """Return what determines the content."""
    return (
        *(cube.username, cube.password, cube.token, cube.seed, cube.day),
        *(cube.customers, cube.changed_within, cube.generation_data.integer_ids),
        *(cube.campaigns, cube.anonymised, cube.undated, cube.outcomes, cube.notes),
    )


def restore(cube: Sandbox) -> content.Customers | None:
    """Copy the content that the options determine, if it was kept.

    Returns:
        What invents the account's further customers.
    """
    with _sqlite(cube) as database:
        return None if database is None else COPIES.restore(options(cube), database)


def keep(cube: Sandbox, customers: content.Customers) -> None:
    """Keep a copy of the content that was just made."""
    with _sqlite(cube) as database:
        if database is not None:
            COPIES.keep(options(cube), database, customers)


def build(cube: Sandbox) -> None:
    """Create the tables of an empty database."""
    with connections[cube.database].schema_editor() as editor:
        for model in (ContentType, Permission, Group, User, *_CONTENT):
            editor.create_model(model)


def fill(cube: Sandbox, invented: content.Customers) -> None:
    """Replace the content according to the sandbox's current options."""
    _empty_tables(cube)
    user = User.objects.create_user(cube.username, password=cube.password)
    Token.objects.create(user=user, key=cube.token)
    crms = Crm.objects.bulk_create(content.crms())
    Definition.objects.bulk_create(content.definitions())
    campaigns = Campaign.objects.bulk_create(content.campaigns(cube.campaigns))
    history = History(cube.seed, cube.day)
    for crm in crms:
        customers = list(invented.invent(crm.id, cube.customers))
        content.fill(crm.id, customers, cube.anonymised, cube.undated)
        for campaign in campaigns:
            if campaign.crm == crm.id:
                history.fill(campaign, customers, cube.outcomes)
                history.notes(campaign, customers, cube.notes)
    _number_new_rows(cube)


def inventor(cube: Sandbox) -> content.Customers:
    """Make what invents the account's customers."""
    return content.Customers(
        cube.seed,
        cube.day,
        days=cube.changed_within,
        integer_ids=cube.generation_data.integer_ids,
    )


@contextmanager
def _sqlite(cube: Sandbox) -> Iterator[sqlite3.Connection | None]:
    """Connect to the database without Django, None if it is in PostgreSQL."""
    connection = connections[cube.database]
    if connection.vendor == "sqlite":
        with closing(sqlite3.connect(connection.settings_dict["NAME"], timeout=30)) as database:
            database.execute("PRAGMA synchronous=off")
            yield database
    else:
        yield None


def _empty_tables(cube: Sandbox) -> None:
    """Delete all rows, and number new ones from 1."""
    connection = connections[cube.database]
    tables = connection.introspection.table_names()
    statements = connection.ops.sql_flush(no_style(), tables, reset_sequences=True)
    connection.ops.execute_sql_flush(statements)


def _number_new_rows(cube: Sandbox) -> None:
    """Number new rows after those there are, which SQLite does by itself."""
    connection = connections[cube.database]
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), _CONTENT):
            cursor.execute(statement)
