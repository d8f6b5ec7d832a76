"""Database access for edits of a sandbox."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db import transaction

from cube_sandbox.models import Crm
from cube_sandbox.project import current, release

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cube_sandbox.sandbox import Sandbox

#: An assignment's id, or a data owner's id and a CRM type.
Where = int | tuple[int, str]


class Edits:
    """Access to the database of one sandbox from any thread."""

    def __init__(self, cube: Sandbox) -> None:
        """Edit a sandbox whose database is registered."""
        self._cube = cube

    @contextmanager
    def _database(self) -> Iterator[None]:
        """Send queries to the sandbox's database, and close this thread's connection at the end."""
        before = current.set(self._cube)
        try:
            with transaction.atomic(using=self._cube.database):
                yield
        finally:
            current.reset(before)
            if current.get(None) is None:
                release(self._cube.database)


def find_crm(where: Where) -> Crm:
    """Find a CRM by its assignment, or by its data owner and type.

    Raises:
        Crm.DoesNotExist: The account has no such assignment or CRM.
    """
    if isinstance(where, int):
        return Crm.objects.get(assignment=where)
    data_owner, crm_type = where
    return Crm.objects.get(data_owner=data_owner, crm_type=crm_type)
