"""`.env.example` shows every setting of the tap, as a shell and Meltano read it."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

import yaml

from tap_cube.settings import Settings
from tests.repository import docs
from tests.support.locked import only_locked_sdk

LINES = re.findall(
    r"^(# )?([A-Z_]+)=(.*)$", (docs.ROOT / ".env.example").read_text("utf-8"), re.MULTILINE
)


def values(plugin: str) -> dict[str, Any]:
    """The values of a plugin's settings; what is not JSON is text."""
    found = {}
    for _, name, text in LINES:
        if name.startswith(plugin):
            (value,) = shlex.split(text) or [""]
            try:
                found[name.removeprefix(plugin).lower()] = json.loads(value)
            except ValueError:
                found[name.removeprefix(plugin).lower()] = value
    return found


@only_locked_sdk
def test_it_has_each_setting_with_its_default_or_a_valid_example() -> None:
    """Whoever removes a `#` changes nothing, or gives what the tap accepts."""
    given = values("TAP_CUBE_")
    properties = docs.properties()
    assert list(given) == list(properties)
    for name, schema in properties.items():
        assert schema.get("default", given[name]) == given[name]
    Settings.from_config(given | {"auth_token": "secret", "username": None, "password": None})


def test_the_targets_lines_are_those_of_the_project() -> None:
    """The target has the values that this repository's own project gives it."""
    plugins = yaml.safe_load((docs.ROOT / "meltano.yml").read_text("utf-8"))["plugins"]
    (target,) = (each for each in plugins["loaders"] if each["name"] == "target-postgres")
    settings = {each["name"]: each.get("value") for each in target["settings"]}
    given = values("TARGET_POSTGRES_")
    address = given.pop("sqlalchemy_url")
    assert f"TARGET_POSTGRES_SQLALCHEMY_URL='{address}'" in (docs.ROOT / "README.md").read_text(
        "utf-8"
    )
    assert given.items() <= settings.items()


def test_only_what_has_to_be_given_is_not_commented() -> None:
    """A file that is copied and not yet filled in sets nothing else."""
    assert [name for comment, name, _ in LINES if not comment] == [
        "TAP_CUBE_API_URL",
        "TAP_CUBE_AUTH_TOKEN",
        "TARGET_POSTGRES_SQLALCHEMY_URL",
    ]
