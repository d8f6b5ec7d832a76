"""Where files of records go: each place works as one expects, or is refused before all else."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest
from singer_sdk.helpers._batch import StorageTarget
from upath import UPath

from tap_cube import storage_rules
from tests.support.batch_runs import Record, into, rows
from tests.support.in_process import run_in_process
from tests.support.refusals import SECRET, refusal
from tests.support.runs import CRM, CUSTOMERS, assert_no_secret, complaint, only, read, settings_for

if TYPE_CHECKING:
    from pathlib import Path

    from cube_sandbox import Sandbox

FOLDERS = {
    "~/nights": "home/nights",
    "file://~/nights": "home/nights",
    "nights": "work/nights",
    "./nights/../days": "work/days",
    "file:nights": "work/nights",
    "file://./nights": "work/nights",
    "file:{top}/nights": "nights",
    "FILE://localhost{top}/nights/": "nights",
    "{top}/Søk & kjøp #2 100%41": "Søk & kjøp #2 100%41",
    "file://{top}/søk og kjøp": "søk og kjøp",
}


def loaded(batch: Record) -> int:
    """How many records the SDK's targets find in the files of a message."""
    count = 0
    for url in batch["manifest"]:
        head, tail = StorageTarget.split_url(url)
        with StorageTarget.from_url(head).open(tail) as file:
            count += len(gzip.decompress(file.read()).splitlines())
    return count


@pytest.mark.parametrize("root", FOLDERS)
def test_a_target_opens_files_in_the_folder_that_one_expects(
    cube: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: str
) -> None:
    """The manifest leads there, whatever is in the folder's name."""
    for name in ("home", "work"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "work")
    settings = settings_for(cube, **only(CRM), **into(root.format(top=tmp_path)))
    run = run_in_process(settings, env={"HOME": str(tmp_path / "home")})
    assert run.returncode == 0, run.stderr
    batches = [message for message in run.messages if message["type"] == "BATCH"]
    assert {message["stream"]: loaded(message) for message in batches}[CUSTOMERS] == 12
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.parent for path in files} == {tmp_path / FOLDERS[root]}


def test_files_can_go_to_other_storages(cube: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tap writes to any filesystem of fsspec; this test may read that of its own process."""
    monkeypatch.setattr(storage_rules, "_OF_THIS_PROCESS", {})
    root = "memory://cube/box"
    try:
        run = read(cube, **only(CRM), **into(root))
        assert rows(run) == rows(read(cube, **only(CRM)))
        assert all(url.startswith(root) for m in run.messages for url in m.get("manifest", ()))
    finally:
        UPath("memory://cube").fs.rm("/cube", recursive=True)


IS_LOST = "targets cannot read what is written to"
IS_NONE = "is neither a folder nor an address"
NEEDS_ONE_LINE = "'storage.root' must be one line"
NO_MARKS = "must not have '?' or '::'"
IS_OUTSIDE = "'storage.prefix' must stay below the root"
REFUSED: list[tuple[str, str, str]] = [
    ("memory://box", "", IS_LOST),
    ("dir://box", "", IS_LOST),
    ("zip://box.zip", "", IS_LOST),
    ("simplecache://box", "", IS_LOST),
    ("data://box", "", IS_LOST),
    ("github://me:it@main/box", "", IS_LOST),
    ("reference://box", "", IS_LOST),
    ("simplecache::memory://box", "", NO_MARKS),
    ("file::memory://box", "", NO_MARKS),
    (f"nowhere://me:{SECRET}@example.com/x", "", "nowhere:// is unknown"),
    ("s3:bucket", "", IS_NONE),
    ("memory:/box", "", IS_NONE),
    ("C:\\nights", "", IS_NONE),
    ("C:/nights", "", IS_NONE),
    ("file://otherhost/nights", "", "names another machine"),
    ("file://", "", "names no folder"),
    ("file://localhost", "", "names no folder"),
    (" ", "", NEEDS_ONE_LINE),
    ("/nights ", "", NEEDS_ONE_LINE),
    ("/nights\n", "", NEEDS_ONE_LINE),
    ("/nights\0", "", NEEDS_ONE_LINE),
    ("/nights?of=may", "", NO_MARKS),
    ("/nights", "../", IS_OUTSIDE),
    ("/nights", "may/../../", IS_OUTSIDE),
    ("/nights", "/may-", IS_OUTSIDE),
    ("/nights", "may\0", "'storage.prefix' must be printable"),
    ("/nights", "may?", "'storage.prefix' must be printable"),
    ("/nights", "m" * 300, "'storage.prefix' is too long"),
    ("/nights", f"{'æ' * 51}/may-", "'storage.prefix' is too long"),
]


@pytest.mark.parametrize(("root", "prefix", "words"), REFUSED)
def test_a_place_where_files_would_be_lost_is_refused(root: str, prefix: str, words: str) -> None:
    """The sentence names the setting and a remedy, and shows no credential."""
    storage = {"root": root, "prefix": prefix}
    sentence = refusal({"batch_config": {"encoding": {"format": "jsonl"}, "storage": storage}})
    assert sentence.startswith("Setting 'batch_config': 'storage.")
    assert words in sentence


UNWRITABLE = {
    "file": "Not a directory",
    "file/folder": "Not a directory",
    "/proc": "No such file or directory",
    "/proc/nowhere": "No such file or directory",
    "link": "No such file or directory",
    "n" * 300: "File name too long",
}


@pytest.mark.parametrize("place", UNWRITABLE)
def test_a_folder_that_cannot_be_written_is_reported_at_once(
    cube: Sandbox, tmp_path: Path, place: str
) -> None:
    """A sync sends no request; discovery, which writes no file, works."""
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    settings = settings_for(cube, **only(CRM), **into(str(tmp_path / place)))
    run = run_in_process(settings)
    sentence = complaint(run)
    assert sentence.startswith("Batch files could not be written to '")
    assert f"': {UNWRITABLE[place]}. Check 'storage' in setting 'batch_config'" in sentence
    assert not run.stdout
    assert not cube.requests
    assert_no_secret(run, cube.token)
    assert run_in_process(settings, extra_args=["--discover"]).returncode == 0


def test_an_error_of_another_storage_shows_no_credential(cube: Sandbox) -> None:
    """Its own text might: `#` ends the host of an address, so the password stands for the port."""
    run = run_in_process(settings_for(cube, **into(f"ftp://me:{SECRET}#@localhost/nights")))
    assert "Batch files could not be written: ValueError. Check 'storage'" in complaint(run)
    assert_no_secret(run, SECRET)
