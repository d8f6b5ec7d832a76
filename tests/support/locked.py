"""Versions of `uv.lock`, with which our files were written."""

from __future__ import annotations

import tomllib
from importlib.metadata import version

import pytest

from tests.repository.docs import ROOT


def locked(package: str) -> str:
    """The version of a package in `uv.lock`."""
    packages = tomllib.loads((ROOT / "uv.lock").read_text("utf-8"))["package"]
    return str(next(each["version"] for each in packages if each["name"] == package))


only_locked_sdk = pytest.mark.skipif(
    version("singer-sdk") != locked("singer-sdk"),
    reason="another SDK may order keys and declare settings in its own way",
)
"""Marks a test that compares text of the SDK with files of ours."""
