"""Batch files in a bucket: the tap with its extra `s3`, against a server that speaks S3."""

from __future__ import annotations

import gzip
import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import requests

from cube_sandbox import Sandbox
from tests.repository.docs import ROOT
from tests.support.judges import TAP_CUBE_S3
from tests.support.runs import CRM, CUSTOMERS, EVENTS, only, settings_for
from tests.support.sizes import only_large
from tests.support.tap_process import SECONDS, TapRun, clean_environment, written_options

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.slow, only_large]  # the extra is not in our own environment


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    """Run an account with customers alone."""
    with Sandbox(customers=12, outcomes=0, without=EVENTS) as cube:
        yield cube


def run_with_s3(cube: Sandbox, folder: Path, bucket: str, root: str) -> TapRun:
    """Run the tap with the settings of a bucket."""
    TAP_CUBE_S3.install()
    params = {"key": "nobody", "secret": "nothing", "endpoint_url": bucket.rpartition("/")[0]}
    storage = {"root": root, "prefix": "night/one-", "params": params}
    batch = {"encoding": {"format": "jsonl", "compression": "gzip"}, "storage": storage}
    config = settings_for(cube, **only(CRM), batch_config=batch)
    done = subprocess.run(  # noqa: S603 - our own command
        [TAP_CUBE_S3.python, "-m", "tap_cube", *written_options(str(folder), config=config)],
        cwd=ROOT,  # with the code as it is now
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return TapRun(done.returncode, done.stdout, done.stderr)


def test_files_go_to_a_bucket(cube: Sandbox, tmp_path: Path, bucket: str) -> None:
    """The manifests name objects, which hold the account's customers."""
    run = run_with_s3(cube, tmp_path, bucket, "s3://cube/batches")
    assert run.returncode == 0, run.stderr
    ids: list[Any] = []
    for message in run.messages:
        for url in message.get("manifest", ()):
            assert url.startswith("s3://cube/batches/night/one-tap-cube--")
            response = requests.get(url.replace("s3://cube", bucket), timeout=SECONDS)
            response.raise_for_status()
            if message["stream"] == CUSTOMERS:
                rows = gzip.decompress(response.content).splitlines()
                ids += [json.loads(row)["customer_id"] for row in rows]
    assert len(ids) == len(set(ids)) == 12


def test_a_misspelt_bucket_is_not_made(cube: Sandbox, tmp_path: Path, bucket: str) -> None:
    """Nobody's data goes to a new bucket with a name that was not meant."""
    run = run_with_s3(cube, tmp_path, bucket, "s3://cueb/batches")
    assert run.returncode == 1
    assert "the bucket in 'storage.root' does not exist" in run.stderr
    assert "cueb" not in requests.get(bucket.rpartition("/")[0], timeout=SECONDS).text
