"""The files of the dbt models: each is described, and has a key that is tested."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.repository.docs import ROOT

MODELS = ROOT / "dbt/models"
DESCRIBED: dict[str, dict[str, Any]] = {
    model["name"]: model
    for path in MODELS.glob("*/*.yml")
    for model in yaml.safe_load(path.read_text("utf-8")).get("models", [])
}
KEYS = ("unique", "cube_unique_together")


def test_every_model_is_described() -> None:
    """No file lacks its description, and no description its file."""
    assert {path.stem for path in MODELS.glob("*/*.sql")} == DESCRIBED.keys()


@pytest.mark.parametrize("name", sorted(DESCRIBED))
def test_a_model_has_a_tested_key_and_meanings(name: str) -> None:
    """Each column says what it is, and one of them or several together are unique."""
    model = DESCRIBED[name]
    parts = (model, *model["columns"])
    assert all(part["description"].endswith(".") for part in parts)
    tests = [each for part in parts for each in part.get("data_tests", [])]
    assert any(key in each for each in tests for key in KEYS)
