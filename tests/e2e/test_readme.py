"""The README's commands, run as they stand there."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

from cube_sandbox import Sandbox
from tests.support.documented import fenced
from tests.support.sizes import only_large
from tests.support.tap_process import SECONDS, clean_environment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.warehouse import Warehouse


@only_large
def test_plain_pipe_loads_twice(tmp_path: Path, warehouse: Warehouse) -> None:
    """Two loads by pipe fill the tables, and the second begins where the first ended."""
    (settings,), (commands,) = (
        fenced("README.md", language, "First load without Meltano") for language in ("json", "sh")
    )
    (tmp_path / "target.json").write_text(warehouse.put_into(settings))
    with Sandbox(customers=10) as cube:
        account = {"TAP_CUBE_API_URL": cube.url, "TAP_CUBE_AUTH_TOKEN": cube.token}
        done = subprocess.run(  # noqa: S603 - the README's own text
            [str(shutil.which("bash")), "-e", "-c", commands],
            cwd=tmp_path,
            env=clean_environment() | account,
            timeout=2 * SECONDS,
            check=False,
            capture_output=True,
            text=True,
        )
    assert done.returncode == 0, done.stderr
    assert warehouse.count("cube.data_owner_customers") == 30
    assert "bookmarks" in json.loads((tmp_path / "state.json").read_text())
    left_out = [int(number) for number in re.findall(r"(\d+) unchanged since", done.stderr)]
    assert any(left_out[len(left_out) // 2 :])
    assert not any(left_out[: len(left_out) // 2])
