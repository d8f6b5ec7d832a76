"""Errors in plain words, named by what can be done about them."""

from __future__ import annotations

from singer_sdk.exceptions import FatalAPIError, FatalSyncError, RetriableAPIError


class CubeError(FatalSyncError):
    """A run that cannot go on; the message is one sentence that says what to do.

    Its message never holds a credential, a body or a customer's data.
    """


class CredentialError(CubeError, FatalAPIError):
    """The account refuses the credential (401)."""


class ForbiddenError(CubeError, FatalAPIError):
    """The credential may not see this resource (403)."""


class NotFoundError(CubeError, FatalAPIError):
    """The account does not know this resource (404)."""


class IncompleteReadError(CubeError):
    """Pages could not be read to an end that is certain to be complete."""


class TransientError(RetriableAPIError):
    """An answer that may be better when asked again; the reason is a few words."""

    def __init__(self, reason: str, *, retry_after: float | None = None) -> None:
        """Hold the reason and the server's own wish.

        Args:
            reason: What came instead of the page, such as ``HTTP 503``.
            retry_after: Seconds the server asks to wait, if it says so.
        """
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after
