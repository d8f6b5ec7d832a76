"""Call outcomes and product registrations: what tells one submission from all others."""

from __future__ import annotations

import typing as t
from hashlib import blake2b

import msgspec
from typing_extensions import override

from tap_cube.heads import CustomerHead

if t.TYPE_CHECKING:
    from collections.abc import Sequence


class Event(CustomerHead):
    """The part of a submission's row that identifies it; no event has an id (3.9).

    Several may be equal to the letter, so none is unique.
    """

    is_unique = False

    call_outcome__report_as__submitted_when_timestamp: object = None
    call_outcome__report_as__submitted_when: object = None
    call_outcome__submitted_when: object = None
    call_outcome__type: object = None
    call_outcome__subtype: object = None
    product__code: object = None
    campaign__name: object = None
    data_owner__name: object = None
    campaign__crm_type: object = None
    assignment__name: object = None
    client__short_name: object = None

    @property
    @override
    def mark(self) -> object:
        """What stays the same while pages are read, though the customer's data may change."""
        kind = self.call_outcome__type, self.call_outcome__subtype, self.product__code
        return repr((self.submitted, kind, self.key, self.names))

    @property
    def submitted(self) -> object:
        """The finest time of submission in the row, as Cube sends it."""
        return (
            self.call_outcome__report_as__submitted_when_timestamp
            or self.call_outcome__report_as__submitted_when
            or self.call_outcome__submitted_when
        )

    @property
    def names(self) -> tuple[str, str]:
        """Names of data owner and campaign."""
        return str(self.data_owner__name or ""), str(self.campaign__name or "")

    def digest(self, campaign: int | None, row: bytes) -> str:
        """What stays the same when the customer is anonymised or the outcome re-assigned.

        So neither the customer counts nor who is said to have submitted it.

        Args:
            campaign: The campaign, where the request knew it; else its names count.
            row: The row itself.
        """
        parts: Sequence[object] = (
            campaign
            or (
                *self.names,
                self.campaign__crm_type,
                self.assignment__name,
                self.client__short_name,
            ),
            # Without a time there is nothing else to go by than the whole row.
            self.submitted or row.decode(),
            self.call_outcome__type,
            self.call_outcome__subtype,
            self.product__code,
        )
        return blake2b(msgspec.json.encode(parts, enc_hook=str), digest_size=12).hexdigest()
