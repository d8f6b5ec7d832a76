"""Whether the SDK is the one of `uv.lock`, with which our files were written."""

from __future__ import annotations

import tomllib
from importlib.metadata import version

import pytest

from tests.repository.docs import ROOT

_LOCKED = next(
    package["version"]
    for package in tomllib.loads((ROOT / "uv.lock").read_text("utf-8"))["package"]
    if package["name"] == "singer-sdk"
)

only_locked_sdk = pytest.mark.skipif(
    version("singer-sdk") != _LOCKED,
    reason="another SDK may order keys and declare settings in its own way",
)
"""Marks a test that compares text of the SDK with files of ours."""
