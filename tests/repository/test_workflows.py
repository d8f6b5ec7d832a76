"""The files in `.github` pass their linters and follow our rules."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from packaging.requirements import Requirement

from tests.repository import hub
from tests.repository.docs import ROOT
from tests.support.tap_process import SCRIPTS

if TYPE_CHECKING:
    from pathlib import Path

GITHUB = ROOT / ".github"
WORKFLOWS = tuple(sorted(GITHUB.glob("workflows/*.yml")))
FORMS = tuple(
    sorted(set(GITHUB.glob("ISSUE_TEMPLATE/*.yml")) - {GITHUB / "ISSUE_TEMPLATE/config.yml"})
)
SCHEMAS = {
    "github-workflows": WORKFLOWS,
    "github-issue-forms": FORMS,
    "github-issue-config": (GITHUB / "ISSUE_TEMPLATE/config.yml",),
    "dependabot": (GITHUB / "dependabot.yml",),
    "meltano": (ROOT / "meltano.yml",),
}
PINNED = re.compile(r"[\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")

LINTERS = {
    "actionlint": ("actionlint", *map(str, WORKFLOWS)),
    "zizmor": ("zizmor", "--offline", "--no-progress", "--persona=pedantic", str(GITHUB)),
} | {
    schema: ("check-jsonschema", "--builtin-schema", f"vendor.{schema}", *map(str, files))
    for schema, files in SCHEMAS.items()
}


@pytest.mark.parametrize("linter", LINTERS)
def test_linters_find_nothing(linter: str) -> None:
    """Third-party linters find no error and no unsafe setting."""
    program, *arguments = LINTERS[linter]
    done = subprocess.run(  # noqa: S603 - a program of our own environment
        [SCRIPTS / program, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_are_pinned_and_permissions_minimal(workflow: Path) -> None:
    """Actions are pinned to commits; jobs may only read, and only `publish` gets a token."""
    text = workflow.read_text("utf-8")
    for used in re.findall(r"uses: (.+)", text):
        assert PINNED.fullmatch(used), used
    content = _workflow(workflow)
    assert content["permissions"] == {}
    assert "secrets." not in text
    for name, job in content["jobs"].items():
        expected = {"id-token": "write"} if name == "publish" else {"contents": "read"}
        assert job["permissions"] == expected, name
        for step in job["steps"]:
            if "actions/checkout" in step.get("uses", ""):
                assert step["with"]["persist-credentials"] is False


def test_the_python_matrix_follows_the_classifiers(tmp_path: Path) -> None:
    """The tests run on exactly the Python versions of the package's classifiers."""
    steps = _workflow(GITHUB / "workflows/test.yml")["jobs"]["pythons"]["steps"]
    (script,) = (step["run"] for step in steps if step.get("shell") == "python")
    output = tmp_path / "output"
    subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=os.environ | {"GITHUB_OUTPUT": str(output)},
        check=True,
    )
    name, _, versions = output.read_text().strip().partition("=")
    assert name == "versions"
    assert json.loads(versions) == hub.about()["supported_python_versions"]


def test_each_sdk_within_our_bounds_has_a_weekly_job() -> None:
    """The minor versions of the SDK that the package takes are those that `newest.yml` installs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    (ours,) = (text for text in project["dependencies"] if text.startswith("singer-sdk"))
    matrix = _workflow(GITHUB / "workflows/newest.yml")["jobs"]["newest"]["strategy"]["matrix"]
    installed = [
        text for job in matrix["include"] if "singer-sdk" in (text := job.get("packages", ""))
    ]
    for minor in range(100):
        version = f"0.{minor}.99"
        jobs = [text for text in installed if Requirement(text).specifier.contains(version)]
        assert len(jobs) == Requirement(ours).specifier.contains(version), version


def test_a_release_publishes_only_tested_artifacts() -> None:
    """A job without the source publishes the built artifacts after all tests."""
    jobs = _workflow(GITHUB / "workflows/release.yml")["jobs"]
    assert set(jobs["publish"]["needs"]) == {"build", "test"}
    uses = [step["uses"].partition("@")[0] for step in jobs["publish"]["steps"]]
    assert uses == ["actions/download-artifact", "pypa/gh-action-pypi-publish"]
    assert jobs["publish"]["steps"][-1]["with"] == {"attestations": True}
    assert "id-token" not in jobs["build"]["permissions"] | jobs["test"]["permissions"]


def test_dependency_updates_wait_a_week() -> None:
    """Dependencies, actions and hooks are updated a week after their release."""
    updates = yaml.safe_load((GITHUB / "dependabot.yml").read_text("utf-8"))["updates"]
    ecosystems = {update["package-ecosystem"] for update in updates}
    assert ecosystems == {"uv", "github-actions", "pre-commit"}
    assert {update["cooldown"]["default-days"] for update in updates} == {7}


def _workflow(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return content
