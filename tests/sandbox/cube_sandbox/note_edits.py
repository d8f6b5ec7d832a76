"""Edits of notes, which only the invented endpoint N1 shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cube_sandbox.clock import localized
from cube_sandbox.edits import Edits
from cube_sandbox.models import Note

if TYPE_CHECKING:
    from datetime import datetime


class NoteEdits(Edits):
    """Edits of notes. Times without zone are Norwegian ones."""

    def notes(self, campaign_id: int) -> list[int]:
        """List the ids of a campaign's notes, ascending."""
        with self._database():
            found = Note.objects.filter(campaign=campaign_id).order_by("id")
            return list(found.values_list("id", flat=True))

    def change_note(self, note_id: int, text: str, when: datetime) -> None:
        """Rewrite a note."""
        with self._database():
            Note.objects.filter(id=note_id).update(text=text, changed=localized(when))
