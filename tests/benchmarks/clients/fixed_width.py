"""Our tap with a number of requests in flight that never changes: as many as `read_ahead`."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unittest.mock import patch

from typing_extensions import override

from tap_cube import start
from tap_cube.http import client
from tap_cube.http.limit import AdaptiveLimit

if TYPE_CHECKING:
    from tap_cube.http.rounds import Permit


class FixedLimit(AdaptiveLimit):
    """A limit that learns nothing from responses.

    Args:
        upper: How many requests it always allows.
    """

    def __init__(self, upper: int) -> None:
        """Begin with as many as it will ever allow."""
        super().__init__(upper, start=upper)

    @override
    def end(self, permit: Permit) -> None:
        permit.size, permit.is_refused = None, False
        super().end(permit)


if __name__ == "__main__":
    with patch.object(client, "AdaptiveLimit", FixedLimit):
        start.main()
