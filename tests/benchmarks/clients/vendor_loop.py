"""The loop of the vendor's example: request a page, decode it, follow its link, keep nothing."""

from __future__ import annotations

import sys

import requests


def main(url: str | None) -> None:
    """Read all pages, beginning with this one."""
    while url:
        page = requests.get(url, headers={"Authorization": "Token invented"}, timeout=60).json()
        url = page["next"]


if __name__ == "__main__":
    main(sys.argv[1])
