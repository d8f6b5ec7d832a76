"""What the extras of the package are for, and the sentence of a run that lacks one."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.batch_runs import into
from tests.support.refusals import SECRET, refusal
from tests.support.runs import CRM, CUSTOMERS, only, read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cube_sandbox import Sandbox

NAME = "crm__standard_info__name"
FAKE: Mapping[str, Any] = {CUSTOMERS: {NAME: "fake.name()"}}
SEED: Mapping[str, Any] = {"seed": 7, "locale": "no_NO"}

LACKING: list[tuple[str, Mapping[str, Any], str]] = [
    ("faker", {"stream_maps": FAKE}, "'stream_maps' needs the tap's extra 'faker'"),
    ("faker", {"faker_config": SEED}, "'faker_config' needs the tap's extra 'faker'"),
    ("s3", into(f"s3://me:{SECRET}@bucket/x"), "'storage.root' names a storage"),
]


def test_a_stream_map_can_invent_names(cube: Sandbox) -> None:
    """A seed gives the same names in each run, none of them a customer's."""
    first, second = (
        read(cube, stream_maps=FAKE, faker_config=SEED, **only(CRM)).records[CUSTOMERS]
        for _ in range(2)
    )
    invented = [record[NAME] for record in first]
    assert invented == [record[NAME] for record in second]
    assert len(set(invented)) > 1
    true = {record[NAME] for record in read(cube, **only(CRM)).records[CUSTOMERS]}
    assert not true & {*invented}


@pytest.mark.parametrize(("extra", "settings", "words"), LACKING)
def test_a_missing_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, extra: str, settings: Mapping[str, Any], words: str
) -> None:
    """Before the first request, with what to install."""
    for package in ("faker", "s3fs"):
        monkeypatch.setitem(sys.modules, package, None)  # as if it were not installed
    sentence = refusal(settings)
    assert words in sentence
    assert sentence.endswith(f"tap-cube[{extra}].")
