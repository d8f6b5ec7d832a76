"""Generates the files of hub/, and copies the listing into a clone of Meltano Hub.

Run `uv run python -m tests.repository.hub --write` after a change of settings or capabilities.
For a pull request to the Hub run `uv run python -m tests.repository.hub --owner ACCOUNT --into
CLONE`: ACCOUNT is the GitHub account that publishes the tap, CLONE a clone of the Hub's repository.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tests.repository.docs import PLUGIN, ROOT, URL, kind
from tests.support.locked import locked
from tests.support.tap_process import run_tap

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

FOLDER = ROOT / "hub"
COMMAND = "uv run python -m tests.repository.hub --write"
ACCOUNT = URL.split("/")[-2]
"""The GitHub account that publishes the tap."""

DEFINITION, LOADER = "tap-cube.yml", "target-postgres.yml"
"""The files for `meltano add --from-ref`."""

LISTING = "listing.yml"
"""The file for the Hub."""

LOGO = "cube.png"
BY_HAND: Mapping[str, Any] = {
    "description": "CRM and call-centre platform by Headshed",
    "domain_url": "https://www.headshed.no/",
    "keywords": ["api", "meltano_sdk"],
    "label": "Cube",
    "log_parser": "singer-sdk",
    "logo_url": f"/assets/logos/extractors/{LOGO}",
    "maintenance_status": "active",
    "next_steps": "",
    "quality": "silver",
    "settings_preamble": (
        "Give either `auth_token`, or `username` and `password`. In an environment variable a list "
        "is written as JSON: `TAP_CUBE_ASSIGNMENT_IDS='[9, 12]'`."
    ),
    "usage": (
        "Meltano keeps the catalog until a setting changes. `meltano config set tap-cube "
        "_use_cached_catalog false` makes it see custom fields that are added to the account later."
    ),
}
"""The parts of the listing that do not follow from the code."""

BY_HAND_IN_SETTINGS: Mapping[str, Mapping[str, str]] = {
    "api_url": {"placeholder": "https://ACCOUNT.headshed.com"},
    "faker_config.locale": {"kind": "array"},
}
"""The same for individual settings."""

_HUBS_OWN = {
    *("domain_url", "keywords", "log_parser", "logo_url", "maintenance_status", "next_steps"),
    *("quality", "settings_preamble", "usage", "variant"),
}
"""The parts of the listing that say nothing to a project of Meltano."""


def about() -> dict[str, Any]:
    """Return the output of `tap-cube --about`."""
    metadata: dict[str, Any] = json.loads(
        run_tap(None, extra_args=["--about", "--format=json"]).stdout
    )
    return metadata


def listing(metadata: Mapping[str, Any], owner: str = ACCOUNT) -> dict[str, Any]:
    """Return the definition of the tap in the Hub's form.

    Args:
        metadata: The output of `tap-cube --about`.
        owner: The GitHub account that publishes the tap.
    """
    return {
        **BY_HAND,
        "capabilities": sorted(metadata["capabilities"]),
        "executable": PLUGIN["executable"],
        "name": metadata["name"],
        "namespace": PLUGIN["namespace"],
        "pip_url": f"git+https://github.com/{owner}/tap-cube.git",
        "select": PLUGIN["select"],
        "repo": f"https://github.com/{owner}/tap-cube",
        "settings": list(_settings(metadata["settings"]["properties"])),
        "settings_group_validation": [
            sorted(group) for group in PLUGIN["settings_group_validation"]
        ],
        "supported_python_versions": metadata["supported_python_versions"],
        "variant": owner.lower(),
    }


def definition(listed: Mapping[str, Any]) -> dict[str, Any]:
    """Return the definition for `meltano add --from-ref`.

    Meltano drops the extras of such a definition, `select` and `use_cached_catalog`, but keeps
    those of a variant in a list of variants. The Hub allows neither the list nor the second extra.

    Args:
        listed: The definition in the Hub's form.
    """
    plugin = {key: listed[key] for key in listed.keys() - _HUBS_OWN}
    return _referred(plugin | {"use_cached_catalog": False}, variant=listed["variant"])


def loader() -> dict[str, Any]:
    """Return the loader of the project's `meltano.yml` in the same form, with its package."""
    project = yaml.safe_load((ROOT / "meltano.yml").read_text("utf-8"))
    plugin = next(each for each in project["plugins"]["loaders"] if f"{each['name']}.yml" == LOADER)
    package = "meltanolabs-target-postgres"
    pip_url = f"{package}=={locked(package)}"
    return _referred(plugin | {"pip_url": pip_url}, variant="meltanolabs")


def _referred(plugin: Mapping[str, Any], *, variant: str) -> dict[str, Any]:
    outside = {key: plugin[key] for key in ("label", "name", "namespace")}
    inside = {key: plugin[key] for key in plugin.keys() - outside.keys()}
    return outside | {"variants": [inside | {"name": variant}]}


def _settings(properties: Mapping[str, Any], parent: str = "") -> Iterator[dict[str, Any]]:
    """Flatten settings to the Hub's names, such as `batch_config.storage.root`."""
    for key, prop in properties.items():
        name = f"{parent}{key}"
        # An object that allows other properties, such as stream_maps, is one setting.
        if prop.get("properties") and not isinstance(prop.get("additionalProperties"), dict):
            yield from _settings(prop["properties"], f"{name}.")
        else:
            yield _setting(name, prop) | dict(BY_HAND_IN_SETTINGS.get(name, {}))


def _setting(name: str, prop: Mapping[str, Any]) -> dict[str, Any]:
    is_secret = prop.get("secret")
    given = {
        "description": prop["description"],
        "kind": "password" if is_secret else kind(prop) if "type" in prop else "string",
        "label": prop["title"],
        "options": [
            {"label": value.capitalize(), "value": value} for value in prop.get("enum", ())
        ],
        "sensitive": is_secret,
        "value": prop.get("default"),
    }
    return {"name": name} | {key: value for key, value in given.items() if value not in (None, [])}


def texts(metadata: Mapping[str, Any], owner: str = ACCOUNT) -> dict[str, str]:
    """Return the files of the listing by their paths in the Hub's `_data` folder."""
    listed = listing(metadata, owner)
    variant = listed["variant"]
    entries = {
        f"meltano/extractors/tap-cube/{variant}.yml": listed,
        "default_variants.yml": {"extractors": {"tap-cube": variant}},
        "maintainers.yml": {
            variant: {
                "label": owner,
                "name": variant,
                "url": f"https://github.com/{owner}",
            }
        },
    }
    return {path: _yaml(entry) for path, entry in entries.items()}


def files(metadata: Mapping[str, Any], owner: str = ACCOUNT) -> dict[str, str]:
    """Return the files of hub/ by their names."""
    proposed = {
        LISTING if "/" in path else path: text for path, text in texts(metadata, owner).items()
    }
    referred = {DEFINITION: definition(listing(metadata, owner)), LOADER: loader()}
    return proposed | {name: _yaml(each) for name, each in referred.items()}


def propose(metadata: Mapping[str, Any], owner: str, hub: Path) -> None:
    """Copy the listing and its logo into a clone of the Hub's repository.

    Existing entries stay: those of maintainers, and another default variant.

    Args:
        metadata: The output of `tap-cube --about`.
        owner: The GitHub account that publishes the tap.
        hub: The clone.
    """
    for name, text in texts(metadata, owner).items():
        path = hub / "_data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        ours = yaml.safe_load(text)
        is_shared = "/" not in name
        theirs = yaml.safe_load(path.read_text("utf-8")) if is_shared else {}
        path.write_text(_yaml(_merged(theirs, ours)), "utf-8")
    shutil.copy(FOLDER / LOGO, hub / "static/assets/logos/extractors" / LOGO)


def _merged(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(ours) | dict(theirs)
    for key in ours.keys() & theirs.keys():
        if isinstance(ours[key], dict):
            merged[key] = _merged(theirs[key], ours[key])
    return merged


def _yaml(value: object) -> str:
    """Dump in the form that the Hub's checks require: keys sorted, sequences not indented."""
    return str(yaml.safe_dump(value, allow_unicode=True))


def main(argv: Sequence[str] | None = None) -> int:
    """Report the files that differ from the code, update them, or copy them into a clone.

    Returns:
        1 if a file differs and was not updated.
    """
    parser = argparse.ArgumentParser(
        prog="python -m tests.repository.hub",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--write", action="store_true", help="update the files of hub/")
    parser.add_argument("--owner", help="GitHub account that publishes the tap")
    parser.add_argument("--into", type=Path, metavar="CLONE", help="clone of the Hub's repository")
    options = parser.parse_args(argv)
    if (options.owner is None) != (options.into is None):
        parser.error("--owner and --into go together")
    if options.into and not (options.into / "_data/default_variants.yml").exists():
        parser.error(f"{options.into} is no clone of the Hub's repository")
    metadata = about()
    if options.into:
        propose(metadata, options.owner, options.into)
        return 0
    outdated = []
    for name, text in files(metadata).items():
        path = FOLDER / name
        if path.exists() and path.read_text("utf-8") == text:
            continue
        if options.write:
            path.write_text(text, "utf-8")
        else:
            outdated.append(path)
    for path in outdated:
        sys.stdout.write(f"hub/{path.name} differs from the code: run `{COMMAND}`.\n")
    return 1 if outdated else 0


if __name__ == "__main__":
    sys.exit(main())
