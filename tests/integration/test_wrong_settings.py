"""Wrong settings, stream maps, variables and files: one sentence before the first request."""

from __future__ import annotations

import json
import os
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.in_process import run_in_process
from tests.support.refusals import refusal
from tests.support.runs import CRM, CUSTOMERS, complaint, only, settings_for, sync

if TYPE_CHECKING:
    from pathlib import Path

    from cube_sandbox import Sandbox

NO_ADDRESS = "'api_url' is not a web address"
NO_DATE = "'start_date' must be a date or date-time"
NO_ZONE = "'timezone' must be an IANA zone name"
NO_BATCH = "'batch_config' must be such as"
FOLDER = {"root": "file:///nowhere"}
JSONL = {"format": "jsonl"}

SETTINGS: list[tuple[str, object, str]] = [
    ("api_url", f"https://{'a' * 64}.example.org", NO_ADDRESS),
    ("api_url", f"https://{'a.' * 130}org", NO_ADDRESS),
    ("api_url", "https://.example.org", NO_ADDRESS),
    ("api_url", "https://example.org:0", NO_ADDRESS),
    ("api_url", "https://example.org:65536", NO_ADDRESS),
    ("api_url", "https://example.org:https", NO_ADDRESS),
    ("api_url", "https://[fe80::1%eth0]", NO_ADDRESS),
    ("api_url", "https://[::g]", NO_ADDRESS),
    ("api_url", "https:example.org", NO_ADDRESS),
    ("api_url", ["https://example.org"], "'api_url' must be of type string"),
    ("start_date", "0000-01-01", NO_DATE),
    ("start_date", "10000-01-01", NO_DATE),
    ("start_date", "-0044-03-15", NO_DATE),
    ("start_date", "2024-02-30", NO_DATE),
    ("start_date", 20240131, "'start_date' must be of type string"),
    ("start_date", "9999-12-31", "'start_date' is in the future"),
    ("timezone", "+01:00", NO_ZONE),
    ("timezone", "/etc/localtime", NO_ZONE),
    ("timezone", "Europe/Oslo\0", NO_ZONE),
    ("assignment_ids", [-1], "'assignment_ids' must be a list of integers"),
    ("assignment_ids", [10**30], "'assignment_ids' must be a list of integers"),
    ("data_owners", [{"id": -2, "crm_types": ["B2B"]}], "'data_owners' must be a list such as"),
    ("read_ahead", 1e400, "is not JSON"),
    ("lookback_days", 2.5, "'lookback_days' must be an integer"),
    ("stream_map_config", "x", "'stream_map_config' must be of type object"),
    ("flattening_enabled", True, "'flattening_max_depth' is missing"),
    ("flattening_enabled", "perhaps", "'flattening_enabled' must be true or false, not text"),
    ("flattening_max_depth", -1, "'flattening_max_depth' must be an integer, 0 or more"),
    ("flattening_max_depth", 1.5, "'flattening_max_depth' must be an integer, not 1.5"),
    ("flattening_max_depth", [], "'flattening_max_depth' must be an integer, not a list"),
    ("flattening_max_key_length", 0, "'flattening_max_key_length' must be an integer, 1 or more"),
    ("flattening_separator", 5, "'flattening_separator' must be of type string"),
    ("faker_config", {"locale": "xx_XX"}, "'faker_config': 'locale' must be one"),
    ("faker_config", {"locale": 5}, "'faker_config' must be of type object"),
    ("batch_config", "x", NO_BATCH),
    ("batch_config", {"encoding": {"format": "parquet"}, "storage": FOLDER}, NO_BATCH),
    ("batch_config", {"encoding": JSONL, "storage": {"root": ""}}, NO_BATCH),
    ("batch_config", {"encoding": JSONL, "storage": FOLDER, "batch_size": 10**30}, NO_BATCH),
    ("batch_config", {"encoding": JSONL, "storage": {"root": "nfs4://x"}}, "cannot be used"),
]

IS_NO_EXPRESSION = "'x' must be one Python expression as text"
MAPS: list[tuple[object, str]] = [
    ([], "'stream_maps' must be an object"),
    ("{", "'stream_maps' must be an object"),
    ({"data_owner_customer": {}}, "no stream of this tap; did you mean 'data_owner_customers'?"),
    ({"*_notes": None}, "no stream of this tap"),
    ({"copy": {"__source__": None}}, "no stream of this tap"),
    ({"copy": {"__source__": CUSTOMERS, "__alias__": "x"}}, "cannot stand beside '__source__'"),
    ({"__else__": "x"}, "'__else__: null' is all"),
    ({"__filter__": None}, "'__else__: null' is all"),
    ({CUSTOMERS: 5}, "the map must be null or an object"),
    ({CUSTOMERS: {"x": 5}}, IS_NO_EXPRESSION),
    ({CUSTOMERS: {"x": {}}}, IS_NO_EXPRESSION),
    ({CUSTOMERS: {"x": ""}}, IS_NO_EXPRESSION),
    ({CUSTOMERS: {"x": "1 +"}}, IS_NO_EXPRESSION),
    ({CUSTOMERS: {"x": "a = 1"}}, IS_NO_EXPRESSION),
    ({CUSTOMERS: {"x": "import os"}}, IS_NO_EXPRESSION),
    ({CUSTOMERS: {"x": "+".join("1" * 5000)}}, IS_NO_EXPRESSION),
    ({CUSTOMERS: {"x": f"{'(' * 300}1{')' * 300}"}}, IS_NO_EXPRESSION),
    ({CUSTOMERS: {"__filter__": "updated >"}}, "'__filter__' must be one Python expression"),
    ({CUSTOMERS: {"__alias__": "my people"}}, "'__alias__' must be a name"),
    ({CUSTOMERS: {"__else__": "x"}}, "'__else__' must be null"),
    ({CUSTOMERS: {"__key_properties__": "id"}}, "'__key_properties__' must be a list of columns"),
    ({CUSTOMERS: {"__fliter__": "1"}}, "is no option of a map; did you mean '__filter__'?"),
]

FAILING_MAPS: list[tuple[dict[str, object], str]] = [
    ({"x": "updated + 1"}, "'x' failed on a record with TypeError"),
    ({"x": "updated + 'x'"}, "failed on a record with TypeError; null there: updated"),
    ({"x": "_['nope']"}, "'x' failed on a record with KeyError"),
    ({"x": "len(updated)"}, "'x' uses the unknown column or function 'len'"),
    ({"__filter__": "nope > 1"}, "'__filter__' uses the unknown column or function 'nope'"),
    ({"x": "datetime"}, "'x' gives a value of type ModuleWrapper"),
    ({"x": "9**9**9"}, "'x' failed on a record with NumberTooHigh"),
    ({"__key_properties__": ["nope"]}, "cannot be mapped: Invalid key properties"),
    ({"customer_id": None}, "cannot be mapped: Removing key property 'customer_id'"),
    ({"__alias__": "campaigns"}, "written as 'campaigns', like that of 'campaigns'"),
]

VARIABLES: list[tuple[dict[str, str], str]] = [
    ({"LOGLEVEL": "verbose"}, "Variable LOGLEVEL must be DEBUG, INFO"),
    ({"TAP_CUBE_LOGLEVEL": "10"}, "Variable TAP_CUBE_LOGLEVEL must be DEBUG, INFO"),
    ({"SINGER_SDK_LOG_CONFIG": "/"}, "variable SINGER_SDK_LOG_CONFIG names is not"),
    ({"SINGER_SDK_LOG_CONFIG": __file__}, "variable SINGER_SDK_LOG_CONFIG names is not"),
    ({"TAP_CUBE_READ_AHEAD": "NaN"}, "'read_ahead' must be an integer"),
    ({"TAP_CUBE_STREAM_MAPS": "[" * 5000}, "'stream_maps' must be an object"),
]

IS_NO_OBJECT = "must hold one JSON object with the settings"
CONTENTS: list[tuple[bytes, str]] = [
    *((text, IS_NO_OBJECT) for text in (b"[]", b"7", b"null", b'"x"', b'[["api_url", "x"]]')),
    (b'{"read_ahead": 1, "read_ahead": 2}', "has the key 'read_ahead' twice in one object"),
    (b'{"user_agent": "\\ud800"}', "is not JSON"),
    ("{}".encode("utf-16"), "is not JSON. Save it as UTF-8"),
    (b'{"read_ahead": 1e99999999999999999999}', "is not JSON"),
    (b'{"read_ahead": ' + b"9" * 5000 + b"}", "is not JSON"),
]


@pytest.mark.parametrize(("name", "value", "words"), SETTINGS)
def test_a_wrong_setting_is_one_sentence(name: str, value: object, words: str) -> None:
    """It names the setting and the remedy."""
    assert words in refusal({name: value})


@pytest.mark.parametrize(("maps", "words"), MAPS)
def test_a_wrong_stream_map_is_one_sentence(maps: object, words: str) -> None:
    """It names stream and column where there is one."""
    assert words in refusal({"stream_maps": maps})


@pytest.mark.parametrize(("own", "words"), FAILING_MAPS)
def test_a_map_that_fails_on_a_record_stops_its_stream_alone(
    cube: Sandbox, own: dict[str, object], words: str
) -> None:
    """The sentence names stream and column, and shows nothing of the record."""
    cube.reset(undated=1)
    maps = {CUSTOMERS: own}
    run = run_in_process(settings_for(cube, stream_maps=maps, **only(CRM)))
    sentence = complaint(run)
    assert words in sentence
    assert f"'{CUSTOMERS}'" in sentence
    if "record" in words:
        assert run.records["campaigns"]


def test_a_test_of_no_kind_is_refused() -> None:
    """As any wrong option of the command line is."""
    run = run_in_process(None, extra_args=["--test=shcema"])
    assert run.returncode == 2
    assert "'shcema' is not one of" in run.stderr


@pytest.mark.parametrize(("variables", "words"), VARIABLES)
def test_a_wrong_variable_is_one_sentence(variables: dict[str, str], words: str) -> None:
    """Those of the log are named, too."""
    assert words in refusal({}, "--config=ENV", env=variables)


@pytest.mark.parametrize(("content", "words"), CONTENTS)
def test_a_wrong_config_file_is_named(tmp_path: Path, content: bytes, words: str) -> None:
    """What JSON allows and no setting can be is refused, too."""
    path = tmp_path / "night.json"
    path.write_bytes(content)
    sentence = refusal(None, "--config", str(path))
    assert words in sentence
    assert str(path) in sentence


@pytest.mark.parametrize("place", ["", "missing.json", "folder", "file/below", "søk.json"])
def test_a_config_file_that_cannot_be_read_is_named(tmp_path: Path, place: str) -> None:
    """A folder, or no file at all."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    path = str(tmp_path / place) if place else ""
    assert f"File {path!r}, given to --config, cannot be read" in refusal(None, "--config", path)


def test_json_in_place_of_a_config_file_is_not_shown() -> None:
    """It holds the credential."""
    text = json.dumps({"auth_token": "t0p-s3cret"})
    sentence = refusal(None, "--config", text)
    assert "takes the name of a file" in sentence
    assert "t0p-s3cret" not in sentence


def test_several_config_files_and_a_pipe_are_read(cube: Sandbox, tmp_path: Path) -> None:
    """Later files win; a pipe, as a shell makes for `<(...)`, is read once."""
    pipe, first = tmp_path / "pipe", tmp_path / "first.json"
    os.mkfifo(pipe)
    first.write_text(json.dumps({"api_url": "https://wrong.invalid", "auth_token": cube.token}))
    settings: dict[str, Any] = {"api_url": cube.url, **only(CRM)}
    writer = Thread(target=pipe.write_text, args=[json.dumps(settings)])
    writer.start()
    run = run_in_process(None, extra_args=["--config", str(first), "--config", str(pipe)])
    writer.join()
    assert run.returncode == 0, run.stderr


def test_a_setting_that_is_null_is_none(cube: Sandbox) -> None:
    """Templates write null for what is not set."""
    assert sync(cube, stream_maps=None, batch_config=None, flattening_enabled=None).records


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("HTTPS_PROXY", "http://[::1"),
        ("HTTPS_PROXY", "http://"),
        ("HTTPS_PROXY", "socks5://127.0.0.1:9"),  # needs a package that the tap does not bring
        ("HTTPS_PROXY", "http://proxy.invalid:99999"),
        ("HTTPS_PROXY", "socks9://proxy.invalid"),
        ("REQUESTS_CA_BUNDLE", "/nowhere/bundle.pem"),
        ("REQUESTS_CA_BUNDLE", __file__),
    ],
)
def test_a_wrong_variable_of_the_network_is_named(variable: str, value: str) -> None:
    """A wrong proxy or bundle is not blamed on the address."""
    address = "https://acme.invalid"
    env = {variable: value, variable.lower(): value}  # as some systems set both
    assert f"variable {variable}" in refusal({"api_url": address}, env=env)
