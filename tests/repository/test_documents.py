"""README.md, the pages under docs/ and meltano.yml agree with the code."""

from __future__ import annotations

import ast
import json
import re
from importlib import resources
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import yaml

from tap_cube.streams.base import CubeStream
from tap_cube.streams.registry import STREAMS
from tap_cube.streams.run_log import RunLogStream
from tap_cube.tap import TapCube
from tests.benchmarks import report
from tests.benchmarks.targets import TARGETS as TARGETS_OF_SPEED
from tests.repository import docs
from tests.support.documented import fenced
from tests.support.judges import TARGETS, Judge
from tests.support.locked import only_locked_sdk
from tests.support.targets import recommended

if TYPE_CHECKING:
    from pathlib import Path

README = (docs.ROOT / "README.md").read_text("utf-8")
MELTANO: dict[str, Any] = yaml.safe_load((docs.ROOT / "meltano.yml").read_text("utf-8"))
(TAP,) = MELTANO["plugins"]["extractors"]
DOCUMENTS = sorted([*docs.ROOT.glob("*.md"), *docs.ROOT.glob("docs/*.md")])
PAGES = sorted(docs.ROOT.glob("docs/*.md"))
(PLUGIN,) = yaml.safe_load(fenced("docs/meltano.md", "yaml", "The plugin, written out")[0])[
    "plugins"
]["extractors"]
COMMANDS = (
    "pip install uv && uv run --locked cube-sandbox demo",
    "pip install uv && uv run --locked pytest",
)


def fences(language: str) -> list[str]:
    """The README's code blocks in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


@only_locked_sdk
@pytest.mark.parametrize("document", docs.BLOCKS)
def test_generated_blocks_are_up_to_date(document: str) -> None:
    """Generated blocks agree with the code; one command updates them."""
    text = (docs.ROOT / document).read_text("utf-8")
    assert text == docs.renewed(document, text), f"run `{docs.COMMAND}`"


def test_a_missing_block_is_an_error() -> None:
    """A document without the markers of a block raises an error."""
    with pytest.raises(ValueError, match=r"meltano\.yml needs one block 'settings', it has 0"):
        docs.renewed("meltano.yml", "plugins: {}\n")


def test_every_stream_is_documented() -> None:
    """The registry, from which the documents are generated, has every stream class."""
    assert {spec.type for spec in STREAMS} == {*CubeStream.__subclasses__(), RunLogStream}


@only_locked_sdk
def test_meltano_declares_every_setting_as_the_tap_does() -> None:
    """Names, defaults, secrets and options are those of the tap's own schema."""
    declared = {each["name"]: each for each in TAP["settings"]}
    properties = docs.properties()
    assert list(declared) == list(properties)
    for name, prop in properties.items():
        setting = declared[name]
        assert setting["label"] == prop["title"]
        assert setting["description"] == prop["description"]
        assert setting.get("value") == prop.get("default")
        assert setting.get("sensitive", False) == prop.get("secret", False)
        choices = [option["value"] for option in setting.get("options", [])]
        assert choices == prop.get("enum", [])
    assert {name for name, each in declared.items() if each.get("sensitive")} == {
        "auth_token",
        "password",
    }
    kinds = {name: declared[name]["kind"] for name in ("api_url", "read_ahead", "data_owners")}
    assert kinds == {"api_url": "string", "read_ahead": "integer", "data_owners": "array"}
    assert declared["start_date"]["kind"] == "date_iso8601"
    assert declared["custom_field_names"]["kind"] == "options"


@pytest.mark.parametrize("plugin", [TAP, PLUGIN], ids=["own", "page"])
def test_plugin_definition_is_complete(plugin: dict[str, Any]) -> None:
    """The definition has the tap's capabilities and settings, and disables the cached catalog."""
    assert plugin["capabilities"] == sorted(each.value for each in TapCube.capabilities)
    assert plugin["use_cached_catalog"] is False
    assert plugin["settings_group_validation"] == [
        ["api_url", "auth_token"],
        ["api_url", "username", "password"],
    ]
    own = [each["name"] for each in TAP["settings"]]
    names = [each["name"] for each in plugin["settings"]]
    assert names == own[: len(names)]
    secret = {each["name"] for each in plugin["settings"] if each.get("sensitive")}
    assert secret == {"auth_token", "password"}


def test_meltano_itself_accepts_the_project() -> None:
    """Both definitions are valid by Meltano's schema, and the project sends no statistics."""
    schema = json.loads(
        resources.files("meltano").joinpath("schemas/meltano.schema.json").read_text()
    )
    jsonschema.validate(MELTANO, schema)
    jsonschema.validate({"plugins": {"extractors": [PLUGIN]}}, schema)
    assert MELTANO["send_anonymous_usage_stats"] is False
    assert MELTANO["cli"]["disable_version_check"] is True
    loaders = {each["name"]: each for each in MELTANO["plugins"]["loaders"]}
    assert set(loaders) == {"target-postgres", "target-jsonl"}
    assert "pip_url" not in TAP.keys() | loaders["target-postgres"].keys()


def test_the_readme_has_the_jobs_of_the_project() -> None:
    """Nightly and weekly, and the utility that makes a full load of the same pipeline."""
    (shown,) = (yaml.safe_load(text) for text in fences("yaml") if "\njobs:" in text)
    assert shown["jobs"] == MELTANO["jobs"]
    (full_load,) = shown["plugins"]["utilities"]
    assert full_load in MELTANO["plugins"]["utilities"]
    assert f"{MELTANO['schedules'][0]['interval']}  cd" in README


def test_the_page_of_files_has_the_environment_for_them() -> None:
    """A user's project can have what this repository's has."""
    (shown,) = fenced("docs/batch.md", "yaml", "Files every night")
    assert yaml.safe_load(shown)["environments"][0] in MELTANO["environments"]


def test_the_readme_configures_the_loader_as_the_project_does() -> None:
    """Without Meltano, too, the loader has the settings of `meltano.yml`."""
    (alone,) = (json.loads(text) for text in fences("json") if "sqlalchemy_url" in text)
    assert recommended().items() <= alone.items()


@pytest.mark.parametrize("command", COMMANDS)
def test_the_readme_has_the_two_commands(command: str) -> None:
    """One line runs the demo, another one the tests."""
    assert f"{command}\n" in fences("sh")[0].splitlines(keepends=True)


def test_the_page_of_queries_installs_the_package() -> None:
    """The folder that it names is a dbt project with the variables of its table."""
    (package,) = yaml.safe_load(fenced("docs/queries.md", "yaml", "Set up dbt")[0])["packages"]
    assert package["git"] == f"{docs.URL}.git"
    project = docs.ROOT / package["subdirectory"] / "dbt_project.yml"
    names = yaml.safe_load(project.read_text("utf-8"))["vars"]
    page = (docs.ROOT / "docs/queries.md").read_text("utf-8")
    assert re.findall(r"^\| `(cube_\w+)` \| `", page, re.MULTILINE) == [*names]


def test_real_messages_are_quoted() -> None:
    """Each message of a troubleshooting table is in the code; the README has the most likely."""
    page = (docs.ROOT / "docs/troubleshooting.md").read_text("utf-8")
    likely, every = quoted(README), quoted(page)
    messages = [
        node.value
        for path in docs.ROOT.glob("tap_cube/**/*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    assert len(likely) == 10
    assert set(likely) < set(every)
    assert [message for message in every if not any(message in text for text in messages)] == []


def quoted(document: str) -> list[str]:
    """The messages of a document's troubleshooting tables."""
    tables = re.findall(r"^\| The log says \|.*(?:\n\|.*)*", document, re.MULTILINE)
    return re.findall(r"^\| `([^`]+)` \|", "\n".join(tables), re.MULTILINE)


@pytest.mark.parametrize("judge", TARGETS, ids=lambda judge: judge.requirements[0])
def test_the_table_of_targets_has_the_tested_versions(judge: Judge) -> None:
    """docs/targets.md and the tests agree about what is tested."""
    package, version = judge.requirements[0].split("==")
    page = (docs.ROOT / "docs/targets.md").read_text("utf-8")
    rows = [line for line in page.splitlines() if f"| {version} |" in line]
    assert any(package in row for row in rows)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    """A linked file exists, and a linked heading is in it."""
    text = re.sub(r"^```.*?^```", "", document.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, heading = link.partition("#")
        if ":" in path:
            continue
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), link
        assert not heading or heading in headings(target), link


def headings(document: Path) -> set[str]:
    """The addresses of a document's headings, and of places that it names."""
    text = document.read_text("utf-8")
    lines = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    words = (re.sub(r"[^\w\- ]", "", line.lower()) for line in lines)
    return {each.replace(" ", "-") for each in words} | set(re.findall(r'<a id="(\w+)">', text))


def test_readme_and_index_lead_to_each_page() -> None:
    """No page under `docs` is known only to those who look there."""
    index = (docs.ROOT / "docs/index.md").read_text("utf-8")
    for page in PAGES:
        assert f"(docs/{page.name}" in README
        assert page.name == "index.md" or f"({page.name})" in index


def test_the_readme_is_short_and_each_page_begins_with_what_it_is_for() -> None:
    """Two screens of README lead to pages whose first sentence names their reader."""
    assert len(README.splitlines()) <= 200
    for page in PAGES:
        _, _, text = page.read_text("utf-8").partition("\n\n")
        assert page.name == "index.md" or text.startswith("This page is for ")


def test_the_page_of_performance_explains_every_target() -> None:
    """What a number of the table means is said below it."""
    page = (docs.ROOT / report.PAGE).read_text("utf-8")
    explained = set(re.findall(r"\*\*(P\d\w?)\*\*", page))
    assert explained == {target.number for target in TARGETS_OF_SPEED}
