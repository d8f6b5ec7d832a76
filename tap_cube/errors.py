"""Errors, by remedy."""

from __future__ import annotations

import typing as t

from singer_sdk.exceptions import FatalAPIError, FatalSyncError, RetriableAPIError

if t.TYPE_CHECKING:
    from collections.abc import Sequence


class CubeError(FatalSyncError):
    """Something cannot be read. The message says what failed and what to do.

    During discovery it ends the run, later the reading of one partition. The message never
    contains a credential, a body or a customer's data.
    """


class InputFileError(CubeError):
    """A file of the command line is not what the tap needs.

    Attributes:
        option: The option that names it.
    """

    option: t.ClassVar[str]


class StateError(InputFileError):
    """The state cannot be used."""

    option = "state"


class CatalogError(InputFileError):
    """The catalog does not fit this tap."""

    option = "catalog"


class RunError(CubeError):
    """Ends the run at once, not only one stream: no other stream could do better."""


class StreamError(CubeError):
    """Ends one stream: none of its other partitions could do better."""


class CredentialError(RunError, FatalAPIError):
    """The account rejects the credential (401)."""


class UnreachableError(RunError):
    """There is no connection to the account's host."""


class OutputError(RunError):
    """Messages or batch files cannot be written: stdout is closed, or a disk is full."""


class CollectedError(CubeError):
    """Several things are wrong, or failed.

    Attributes:
        errors: One sentence for each.
    """

    def __init__(self, errors: Sequence[str]) -> None:
        """Keep the sentences."""
        super().__init__("\n".join(errors))
        self.errors = [*errors]


class SettingsError(CollectedError):
    """Settings are not valid."""


class PartialRunError(CollectedError):
    """Some partitions could not be read. All the others were, and the state has them."""


class ForbiddenError(CubeError, FatalAPIError):
    """The credential has no access to the resource (403)."""


class NotFoundError(CubeError, FatalAPIError):
    """The account does not have the resource (404, 405, 410)."""


class TooLargeError(CubeError):
    """A response is larger than the tap's memory allows. Another attempt would bring the same.

    Args:
        limit: The number that the response exceeds.
        things: What it has more of, such as rows.
    """

    def __init__(self, limit: int, things: str) -> None:
        super().__init__(
            f"the response is too large: it has more than {limit:,} {things}. "
            "Check 'api_url'; the account has to send smaller pages."
        )


class IncompleteReadError(CubeError):
    """No pass over the pages was certain to have read every row."""


class TransientError(RetriableAPIError):
    """A request failed, and a retry may succeed.

    Args:
        reason: What failed, in a few words, such as ``HTTP 503``.
        retry_after: Seconds to wait by the server's Retry-After header; None without one.
        remedy: What helps if it fails again and again, such as ``check 'api_url'``.
        is_overload: Whether fewer requests at a time may help.
    """

    def __init__(
        self,
        reason: str,
        *,
        retry_after: float | None = None,
        remedy: str = "raise 'max_retries' or 'request_timeout', or lower 'read_ahead'",
        is_overload: bool = False,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after
        self.remedy = remedy
        self.is_overload = is_overload


class ConnectError(TransientError):
    """No connection to the host could be made, so nothing was sent."""
