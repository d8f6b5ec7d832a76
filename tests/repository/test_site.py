"""The documentation's site shows every page. That its links are right is shown by building it."""

from __future__ import annotations

import re

from tests.repository.docs import ROOT

CONFIG = (ROOT / "mkdocs.yml").read_text("utf-8")


def test_every_page_is_in_the_navigation_once() -> None:
    """A page that the navigation lacks could only be found by the search."""
    listed = re.findall(r"^ *- .+: (\S+\.md)$", CONFIG.partition("\nnav:\n")[2], re.MULTILINE)
    assert sorted(listed) == sorted(page.name for page in ROOT.glob("docs/*.md"))


def test_pages_link_to_no_other_file_of_the_repository() -> None:
    """The site has only `docs`: a link beyond it would lead nowhere there."""
    for page in ROOT.glob("docs/*.md"):
        assert "](../" not in page.read_text("utf-8"), page.name
