"""Errors, by remedy."""

from __future__ import annotations

from singer_sdk.exceptions import FatalAPIError, FatalSyncError, RetriableAPIError


class CubeError(FatalSyncError):
    """Ends the run. The message says what failed and what to do.

    The message never contains a credential, a body or a customer's data.
    """


class RunError(CubeError):
    """Ends the run at once, not only one stream: no other stream could do better."""


class CredentialError(RunError, FatalAPIError):
    """The account rejects the credential (401)."""


class UnreachableError(RunError):
    """The host of the account never responded in this run."""


class OutputError(RunError):
    """The messages cannot be written: stdout is closed, or its disk is full."""


class ForbiddenError(CubeError, FatalAPIError):
    """The credential has no access to the resource (403)."""


class NotFoundError(CubeError, FatalAPIError):
    """The account does not have the resource (404, 405, 410)."""


class IncompleteReadError(CubeError):
    """No pass over the pages was certain to have read every row."""


class TransientError(RetriableAPIError):
    """A request failed, and a retry may succeed.

    Args:
        reason: What failed, in a few words, such as ``HTTP 503``.
        retry_after: Seconds to wait by the server's Retry-After header; None without one.
    """

    def __init__(self, reason: str, *, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after
