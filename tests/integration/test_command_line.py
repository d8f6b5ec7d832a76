"""The command line as a newcomer types it: what is misspelt, left out or mixed up is named."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.in_process import run_in_process
from tests.support.refusals import SECRET, refusal
from tests.support.runs import (
    CRM,
    CUSTOMERS,
    assert_no_secret,
    complaints,
    discover,
    logged,
    only,
    settings_for,
)

if TYPE_CHECKING:
    from pathlib import Path

    from cube_sandbox import Sandbox

MODES: list[tuple[str, ...]] = [(), ("--discover",), ("--test",)]
OF_MELTANO = {
    "TAP_CUBE__SELECT": '["*.*"]',
    "TAP_CUBE__LOAD_SCHEMA": "tap_cube",
    "TAP_CUBE_BATCH_CONFIG_STORAGE_ROOT": "",
    "TAP_CUBE_READ_AHEAD": "4",
    "TAP_CUBE_LOGLEVEL": "INFO",
}


def ignored(*names: tuple[str, str]) -> list[str]:
    """The sentences about unknown names, each with the one that was meant."""
    return [f"{name} is unknown and ignored; did you mean '{meant}'?" for name, meant in names]


def test_unknown_settings_and_variables_are_warnings(cube: Sandbox) -> None:
    """They name the nearest known one; what Meltano sets for itself is no mistake."""
    env = {
        **OF_MELTANO,
        "TAP_CUBE_READ_AHED": "1",
        "TAP_CUBE_AUTH_TOKEN_FILE": "/run/token",
        "TAP_CUBE_LOG_LEVEL": "DEBUG",
        "tap_cube_api_url": SECRET,
    }
    owner = {"id": 2, "crm_types": ["B2B"], "crm_type": SECRET}
    wrong = {"auth_tokn": SECRET, "API_URL": SECRET, "faker_config": {"local": SECRET}}
    config = settings_for(cube, assignment_ids=[], data_owners=[owner, owner], **wrong)
    run = run_in_process(config, env=env, extra_args=["--config=ENV"])
    assert run.returncode == 0, run.stderr
    assert logged(run, "WARNING") == ignored(
        ("Setting 'API_URL'", "api_url"),
        ("Setting 'auth_tokn'", "auth_token"),
        ("Setting 'data_owners.crm_type'", "crm_types"),
        ("Setting 'faker_config.local'", "locale"),
        ("Variable 'TAP_CUBE_AUTH_TOKEN_FILE'", "TAP_CUBE_AUTH_TOKEN"),
        ("Variable 'TAP_CUBE_LOG_LEVEL'", "TAP_CUBE_LOGLEVEL"),
        ("Variable 'TAP_CUBE_READ_AHED'", "TAP_CUBE_READ_AHEAD"),
        ("Variable 'tap_cube_api_url'", "TAP_CUBE_API_URL"),
    )
    assert "Skipping parse" not in run.stderr
    assert_no_secret(run, SECRET)


def test_a_misspelt_variable_is_named_where_settings_are_in_a_file(cube: Sandbox) -> None:
    """Meltano ignores it without a word. Others may be there for another program."""
    env = {
        **OF_MELTANO,
        "TAP_CUBE_START_DAT": SECRET,
        "TAP_CUBE_TOKEN": SECRET,  # which somebody's file refers to
        "TAP_CUBE_EU_LOOKBACK_DAYS": "3",  # of a plugin that inherits
        "TAP_CUBE_TIMEZON": "UTC",  # which Meltano sets for what is in the file
        "TAP_CUBE_SERVICE_PORT": "80",
    }
    run = run_in_process(settings_for(cube, timezon="UTC", **only(CRM)), env=env)
    assert run.returncode == 0, run.stderr
    assert logged(run, "WARNING") == ignored(
        ("Setting 'timezon'", "timezone"), ("Variable 'TAP_CUBE_START_DAT'", "TAP_CUBE_START_DATE")
    )
    assert_no_secret(run, SECRET)


def test_an_unknown_name_that_may_be_a_secret_is_cut(cube: Sandbox) -> None:
    """Part of a long name is enough to find it; a line break cannot fake a line of the log."""
    long = "5eadd2f5c872bbe2fb7fc2e2fb52669fd2d60133"
    config = settings_for(cube, **{long: "", "a\nERROR": 1}, **only(CRM))
    run = run_in_process(config, extra_args=["--discover"])
    assert logged(run, "WARNING") == [
        "Setting '5eadd2…' is unknown and ignored.",
        r"Setting 'a\nERROR' is unknown and ignored.",
    ]


def test_many_mistakes_of_a_kind_do_not_bury_the_others() -> None:
    """The first ones of each kind are named, then what is missing."""
    names = [f"wrong_{number}" for number in range(100)]
    env = {f"TAP_CUBE_{name.upper()}": "1" for name in names}
    config = {"stream_maps": dict.fromkeys(names), **dict.fromkeys(names, 1)}
    told = complaints(run_in_process(config, env=env, extra_args=["--config=ENV"]))
    assert sum("unknown and ignored" in sentence for sentence in told) == 40
    assert sum("no stream of this tap" in sentence for sentence in told) == 20
    assert len(told) == 62


def test_what_is_misspelt_stands_beside_what_is_missing(tmp_path: Path) -> None:
    """One sentence explains the other; a variable that nobody reads is a third explanation."""
    (tmp_path / "config.json").write_text(json.dumps({"apiurl": "x", "auth_tokn": SECRET}))
    options = ["--config", str(tmp_path / "config.json")]
    run = run_in_process(None, env={"TAP_CUBE_AUTH_TOKEN": SECRET}, extra_args=options)
    assert complaints(run) == [
        *ignored(("Setting 'apiurl'", "api_url"), ("Setting 'auth_tokn'", "auth_token")),
        "Setting 'api_url' is missing: give the API URL of the Cube account.",
        "No credential: give 'auth_token', or 'username' and 'password'.",
        "Variables such as TAP_CUBE_AUTH_TOKEN are read only with a further --config=ENV.",
    ]
    assert_no_secret(run, SECRET)


def test_a_key_inside_a_wrong_setting_is_named() -> None:
    """The example alone would leave the user to compare."""
    batch = {"encoding": {"format": "jsonl"}, "storag": {"root": "/x"}, "batch_size": 5}
    config = {"api_url": "https://acme.invalid", "auth_token": SECRET, "batch_config": batch}
    misspelt, wrong = complaints(run_in_process(config))
    assert [misspelt] == ignored(("Setting 'batch_config.storag'", "storage"))
    assert "'batch_config' must be such as" in wrong


@pytest.mark.parametrize("mode", MODES)
def test_the_command_without_settings_says_how_to_give_them(mode: tuple[str, ...]) -> None:
    """With exported variables, one option is all that is missing."""
    assert "give the name of a JSON file with the settings, or ENV" in refusal(None, *mode)
    sentence = refusal(None, *mode, env={"TAP_CUBE_AUTH_TOKEN": SECRET})
    assert "TAP_CUBE_AUTH_TOKEN are read only with it. Add --config=ENV." in sentence


@pytest.mark.parametrize("word", ["env", "Env"])
def test_env_is_written_in_capitals(word: str) -> None:
    """In small letters it could be the name of a file."""
    assert "Write ENV in capitals to read variables." in refusal(None, f"--config={word}")


@pytest.mark.parametrize("option", ["--state", "--catalog"])
@pytest.mark.parametrize(
    ("place", "fault"),
    [
        ("missing.json", "cannot be read: No such file or directory."),
        ("", "cannot be read: Is a directory."),
        ("utf-16.json", "is not JSON. Save it as UTF-8, then run again."),
    ],
)
def test_a_state_or_catalog_that_cannot_be_read_is_named(
    tmp_path: Path, option: str, place: str, fault: str
) -> None:
    """As a config file is."""
    (tmp_path / "utf-16.json").write_text("{}", encoding="utf-16")
    path = str(tmp_path / place)
    assert refusal({}, option, path) == f"File '{path}', given to {option}, {fault}"


@pytest.mark.parametrize("option", ["--config", "--state", "--catalog"])
@pytest.mark.parametrize("text", ['{"a": "%s"}', '["%s"]', '"a": "%s"'])
def test_text_in_place_of_a_file_is_not_shown(option: str, text: str) -> None:
    """Settings hold a credential, and a state may hold ids of customers."""
    sentence = refusal({}, option, text % SECRET)
    assert f"Option {option} takes the name of a file, not JSON." in sentence


def test_files_that_are_mixed_up_are_told_apart(cube: Sandbox, tmp_path: Path) -> None:
    """A catalog or a state in place of settings would only lack an address."""
    path = tmp_path / "night.json"
    for content, option in ((discover(cube, **only(CRM)), "catalog"), ({"bookmarks": {}}, "state")):
        path.write_text(json.dumps(content))
        assert f"it is a file for --{option}." in refusal(None, "--config", str(path))


@pytest.mark.parametrize("content", ["", " \n"])
def test_an_empty_config_or_catalog_is_named(tmp_path: Path, content: str) -> None:
    """An empty state alone is as good as none."""
    path = tmp_path / "night.json"
    path.write_text(content)
    for option, config in (("--config", None), ("--catalog", {})):
        assert f"given to {option}, is empty." in refusal(config, option, str(path))


@pytest.mark.parametrize("mode", MODES[:2])
def test_a_word_without_an_option_is_a_usage_error(mode: tuple[str, ...]) -> None:
    """The name of a file needs its option. The word is not shown: it may be a credential."""
    run = run_in_process(None, extra_args=[*mode, f"auth_token={SECRET}"])
    assert run.returncode == 2
    assert "Name each file with its option: --config, --catalog or --state." in run.stderr
    assert_no_secret(run, SECRET)


def test_help_has_a_short_option() -> None:
    """As most commands have."""
    short, long = (run_in_process(None, extra_args=[each]) for each in ("-h", "--help"))
    assert short.returncode == 0
    assert short.stdout == long.stdout


def test_only_a_first_run_warns_of_targets_without_files(cube: Sandbox, tmp_path: Path) -> None:
    """A nightly run that the right target loads has nothing to warn of."""
    storage = {"encoding": {"format": "jsonl"}, "storage": {"root": str(tmp_path)}}
    config = settings_for(cube, batch_config=storage, **only(CRM))
    first = run_in_process(config)
    assert first.schemas[CUSTOMERS]
    later = run_in_process(config, state=first.state)
    told = "only target-postgres (MeltanoLabs) loads these files"
    assert [told in " ".join(logged(run, "WARNING")) for run in (first, later)] == [True, False]
    assert told in " ".join(logged(later, "INFO"))
