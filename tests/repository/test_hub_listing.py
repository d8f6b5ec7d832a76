"""The listing for Meltano Hub agrees with the code and with the Hub's rules."""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
import yaml

from tests.repository import hub
from tests.repository.docs import PLUGIN, ROOT, URL
from tests.support.locked import only_locked_sdk

if TYPE_CHECKING:
    from pathlib import Path


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# The values that the Hub's schemas of plugin definitions allow.
KEYS = _words(
    "capabilities commands definition description docs domain_url executable hidden keywords label "
    "log_parser logo_url maintenance_status metadata name namespace next_steps pip_url prereq "
    "python quality repo requires schema select settings settings_group_validation "
    "settings_preamble supported_python_versions usage variant"
)
SETTING_KEYS = _words(
    "aliases description docs documentation env hidden kind label name oauth options placeholder "
    "sensitive tooltip value value_post_processor value_processor"
)
KINDS = _words(
    "array boolean date_iso8601 decimal email file hidden integer oauth object options password "
    "string"
)
CAPABILITIES = _words(
    "about activate-version batch catalog discover log-based properties schema-flattening state "
    "stream-maps structured-logging test"
)
MAINTENANCE = frozenset({"active", "beta", "development", "inactive", "unknown"})
QUALITIES = frozenset({"gold", "silver", "bronze", "unknown"})
# The Hub's bot treats a text setting with one of these parts in its name as a secret.
SECRET_NAMES = ("id", "key", "token", "secret", "password")


@pytest.fixture(scope="module")
def about() -> dict[str, Any]:
    """The output of `tap-cube --about`."""
    return hub.about()


@pytest.fixture(scope="module")
def listing() -> dict[str, Any]:
    """The definition in the project."""
    definition: dict[str, Any] = yaml.safe_load((hub.FOLDER / hub.LISTING).read_text("utf-8"))
    return definition


@only_locked_sdk
def test_the_files_agree_with_the_code(about: dict[str, Any]) -> None:
    """No file of the listing differs from `tap-cube --about`."""
    for name, text in hub.files(about).items():
        assert (hub.FOLDER / name).read_text("utf-8") == text, f"run `{hub.COMMAND}`"


def test_the_hub_allows_all_keys_and_values(listing: dict[str, Any]) -> None:
    """The Hub's schemas have every key, kind, capability and status."""
    assert listing.keys() <= KEYS
    assert {"name", "namespace", "variant", "quality", "repo", "pip_url"} <= listing.keys()
    assert set(listing["capabilities"]) <= CAPABILITIES
    assert listing["maintenance_status"] in MAINTENANCE
    assert listing["quality"] in QUALITIES
    for setting in listing["settings"]:
        assert setting.keys() <= SETTING_KEYS
        assert setting["kind"] in KINDS
        assert ("options" in setting) == (setting["kind"] == "options")
        assert all(option.keys() == {"label", "value"} for option in setting.get("options", ()))


def test_the_files_have_sorted_keys_and_no_indented_sequences() -> None:
    """The files have the form that the Hub's YAML linter requires."""
    for path in hub.FOLDER.glob("*.yml"):
        text = path.read_text("utf-8")
        assert text == yaml.safe_dump(yaml.safe_load(text), sort_keys=True, allow_unicode=True)


def test_only_secrets_are_passwords(listing: dict[str, Any]) -> None:
    """Every secret is a password, and the Hub's bot treats no other setting as a secret."""
    passwords = {each["name"] for each in listing["settings"] if each["kind"] == "password"}
    assert passwords == {each["name"] for each in listing["settings"] if each.get("sensitive")}
    by_name = {
        each["name"]
        for each in listing["settings"]
        if each["kind"] in {"string", "password", "options"}
        and any(part in each["name"] for part in SECRET_NAMES)
    }
    assert by_name == passwords == {"auth_token", "password"}


def test_each_group_has_one_kind_of_credential(listing: dict[str, Any]) -> None:
    """Each group of settings is a complete configuration of the tap."""
    names = [setting["name"] for setting in listing["settings"]]
    assert len(names) == len(set(names))
    assert {frozenset(group) for group in listing["settings_group_validation"]} == {
        frozenset({"api_url", "auth_token"}),
        frozenset({"api_url", "username", "password"}),
    }
    assert {name for group in listing["settings_group_validation"] for name in group} <= set(names)


def test_settings_of_the_sdk_are_listed(listing: dict[str, Any]) -> None:
    """Stream maps, flattening and batches can be configured through Meltano."""
    names = {setting["name"] for setting in listing["settings"]}
    assert {
        "batch_config.encoding.format",
        "batch_config.storage.root",
        "faker_config.seed",
        "flattening_enabled",
        "stream_map_config",
        "stream_maps",
    } <= names


def test_the_repository_url_is_the_same_everywhere(listing: dict[str, Any]) -> None:
    """Every URL of the project's repository has the same owner."""
    assert listing["repo"] == URL
    assert listing["variant"] == hub.ACCOUNT.lower()
    files = [ROOT / "pyproject.toml", *ROOT.glob("*.md"), *ROOT.glob("hub/*.yml")]
    files += ROOT.glob(".github/**/*.*")
    owners = {
        owner
        for file in files
        for owner in re.findall(r"github\.com/([^/\s]+)/tap-cube", file.read_text("utf-8"))
    }
    assert owners == {hub.ACCOUNT}
    assert PLUGIN["pip_url"] in {"tap-cube", f"git+{listing['repo']}.git"}


def test_the_logo_is_square_transparent_and_without_text() -> None:
    """The SVG has only paths, and the PNG is square with an alpha channel."""
    drawing = ET.parse(hub.FOLDER / "cube.svg").getroot()  # noqa: S314 - our own file
    assert {element.tag.rpartition("}")[2] for element in drawing} == {"path"}
    header = (hub.FOLDER / hub.LOGO).read_bytes()[:26]
    width, height, _, colours = struct.unpack(">IIBB", header[16:])
    assert header[:8] == b"\x89PNG\r\n\x1a\n"
    assert width == height == 480
    assert colours == 6  # red, green, blue and alpha


def test_a_proposal_adds_the_tap_and_keeps_the_rest(tmp_path: Path, about: dict[str, Any]) -> None:
    """Our entries are in alphabetical order, and a second proposal changes nothing."""
    clone = _hub(tmp_path)
    for _ in range(2):
        assert hub.main(["--owner", "Acme-Data", "--into", str(clone)]) == 0
        assert (clone / "_data/default_variants.yml").read_text() == (
            "extractors:\n  tap-csv: meltanolabs\n  tap-cube: acme-data\n  tap-zoom: acme\n"
            "loaders:\n  target-csv: meltanolabs\n"
        )
        assert (clone / "_data/maintainers.yml").read_text("utf-8") == (
            "acme:\n  label: Acmé\n  name: acme\n  url: https://acme.example/\n"
            "acme-data:\n  label: Acme-Data\n  name: acme-data\n"
            "  url: https://github.com/Acme-Data\n"
        )
    definition = yaml.safe_load(
        (clone / "_data/meltano/extractors/tap-cube/acme-data.yml").read_text("utf-8")
    )
    assert definition == hub.listing(about, "Acme-Data")
    assert definition["repo"] == "https://github.com/Acme-Data/tap-cube"
    assert hub.ACCOUNT not in str(definition)
    logo = clone / "static" / definition["logo_url"].lstrip("/")
    assert logo.read_bytes() == (hub.FOLDER / hub.LOGO).read_bytes()


def test_a_proposal_keeps_existing_entries(tmp_path: Path, about: dict[str, Any]) -> None:
    """Another default variant and a maintainer's own entry stay."""
    clone = _hub(tmp_path)
    variants, maintainers = (
        clone / "_data" / f"{name}.yml" for name in ("default_variants", "maintainers")
    )
    variants.write_text(variants.read_text().replace("tap-csv", "tap-cube"))
    before = maintainers.read_text("utf-8")
    hub.propose(about, "acme", clone)
    assert maintainers.read_text("utf-8") == before
    assert yaml.safe_load(variants.read_text())["extractors"]["tap-cube"] == "meltanolabs"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--owner", "acme"], "--owner and --into go together"),
        (["--owner", "acme", "--into", "nowhere"], "nowhere is no clone of the Hub's repository"),
    ],
)
def test_a_proposal_needs_an_owner_and_a_clone(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without both, the error says what is missing."""
    with pytest.raises(SystemExit) as end:
        hub.main(arguments)
    assert end.value.code == 2
    assert message in capsys.readouterr().err


def _hub(folder: Path) -> Path:
    """Create the part of the Hub's repository that a new extractor touches."""
    (folder / "_data/meltano/extractors").mkdir(parents=True)
    (folder / "static/assets/logos/extractors").mkdir(parents=True)
    (folder / "_data/default_variants.yml").write_text(
        "extractors:\n  tap-csv: meltanolabs\n  tap-zoom: acme\n"
        "loaders:\n  target-csv: meltanolabs\n"
    )
    (folder / "_data/maintainers.yml").write_text(
        "acme:\n  label: Acmé\n  name: acme\n  url: https://acme.example/\n", "utf-8"
    )
    return folder
