"""Authentication by token, without a query in each request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.authentication import TokenAuthentication
from typing_extensions import override

from cube_sandbox.project import current

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from rest_framework.authtoken.models import Token


class KnownTokenAuthentication(TokenAuthentication):
    """Looks up a token once. The query would take a fifth of a response's time."""

    @override
    def authenticate_credentials(self, key: str) -> tuple[User, Token]:
        known = current.get().known_tokens
        if key not in known:
            known[key] = super().authenticate_credentials(key)
        found: tuple[User, Token] = known[key]
        return found
