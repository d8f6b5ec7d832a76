"""Names the GitHub account that the repository belongs to, wherever its name stands.

Run `uv run python -m tests.repository.owner ACCOUNT` after moving the repository to ACCOUNT.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.repository import hub
from tests.repository.docs import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME = re.compile(r"[A-Za-z0-9](?:-?[A-Za-z0-9]){0,38}")
"""GitHub's rule for the name of an account."""


def rename(account: str) -> list[str]:
    """Let every tracked text name the account, and return the files that did not.

    Args:
        account: The new owner of the repository.
    """
    changed = []
    url = re.compile(rf"(?<![\w-]){re.escape(hub.ACCOUNT)}(?=/tap-cube\b)")
    for name in _tracked():
        try:
            text = (ROOT / name).read_text("utf-8")
        except (UnicodeDecodeError, FileNotFoundError):  # a picture, or a file that was removed
            continue
        if (new := url.sub(account, text)) != text:
            (ROOT / name).write_text(new, "utf-8")
            changed.append(name)
    for name, text in hub.files(hub.about(), account).items():
        path = hub.FOLDER / name
        if path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")
            changed.append(str(path.relative_to(ROOT)))
    return sorted({*changed})


def _tracked() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"],  # noqa: S607 - the user's own git
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return listed.stdout.rstrip("\0").split("\0")


def main(argv: Sequence[str] | None = None) -> int:
    """Rename the owner, and report the files that changed."""
    parser = argparse.ArgumentParser(prog="python -m tests.repository.owner", description=__doc__)
    parser.add_argument("account", metavar="ACCOUNT", help="name of an account on GitHub")
    account = parser.parse_args(argv).account
    if not NAME.fullmatch(account):
        parser.error(
            f"{account!r} is not the name of a GitHub account, which has up to 39 letters, digits "
            "and single hyphens, such as acme-data"
        )
    for name in rename(account):
        sys.stdout.write(f"{name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
