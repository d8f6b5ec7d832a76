"""Versions of `uv.lock`, with which our files were written."""

from __future__ import annotations

import functools
import tomllib
from importlib.metadata import version

import pytest

from tests.repository.docs import ROOT


def locked(package: str) -> str:
    """The version of a package in `uv.lock`."""
    return _versions()[package]


@functools.cache
def _versions() -> dict[str, str]:
    packages = tomllib.loads((ROOT / "uv.lock").read_text("utf-8"))["package"]
    return {each["name"]: each["version"] for each in packages if "version" in each}


only_locked_sdk = pytest.mark.skipif(
    version("singer-sdk") != locked("singer-sdk"),
    reason="another SDK may order keys and declare settings in its own way",
)
"""Marks a test that compares text of the SDK with files of ours."""
