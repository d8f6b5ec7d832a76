"""Redirects within the account: scheme, host, path and query stay the same."""

from __future__ import annotations

from urllib.parse import parse_qsl, urljoin, urlsplit

from tap_cube.errors import CubeError


def redirected(url: str, location: str, label: object) -> str:
    """Return the target of a redirect if it is the same page on the account's own host.

    Args:
        url: The address that redirected.
        location: The header, relative or absolute.
        label: Name of the request in errors.

    Raises:
        CubeError: If the target is another page or host.
    """
    try:
        target = urljoin(url, location)
        is_plain = location.isprintable() and not location.startswith("//")
        is_same = is_plain and _identity(target) == _identity(url)
    except ValueError:
        target, is_same = location, False
    if not is_same:
        msg = (
            f"{label}: redirected to another address, where the tap does not send the "
            "credential. Check 'api_url': scheme and host must be the account's own."
        )
        raise CubeError(msg)
    return target


def _identity(url: str) -> tuple[object, ...]:
    """The parts that a redirect must keep: scheme, host, port, path and query.

    A slash at the end of the path may come or go (T17), and so may ``page=1``. All else is compared
    to the letter.
    """
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    host = parts.username, parts.password, parts.hostname, port
    query = [
        pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair != ("page", "1")
    ]
    return parts.scheme, host, parts.path.removesuffix("/"), sorted(query)
