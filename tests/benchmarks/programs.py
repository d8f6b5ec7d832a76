"""The compared programs, and their commands for reading the same customers."""

from __future__ import annotations

import json
import subprocess
import sys
import zlib
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.benchmarks import airbyte
from tests.benchmarks.account import BOOKMARK
from tests.benchmarks.server import CRM
from tests.support.tap_process import SCRIPTS, clean_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Command = Callable[["Reading"], Sequence[str]]

STREAM = "data_owner_customers"
CLIENTS = Path(__file__).parent / "clients"
TOKEN = "invented"  # noqa: S105 - opens nothing
PYTHON = sys.executable
PYTHON_NAME = "Python"


@dataclass(frozen=True, slots=True)
class Reading:
    """The customers that a program reads.

    Attributes:
        url: The URL of the account.
        owner: The data owner whose customers are read.
        folder: The folder for settings; each reading has its own.
    """

    url: str
    owner: int
    folder: Path

    def write(self, name: str, content: object) -> str:
        """Write a settings file, and return its path."""
        return written(self.folder, name, content)


def written(folder: Path, name: str, content: object) -> str:
    """Write a settings file to a folder, and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(json.dumps(content))
    return str(path)


@dataclass(frozen=True, slots=True)
class Environment:
    """An environment for a program whose dependencies conflict with ours.

    Attributes:
        name: The name of its lock in `clients/`, and of its folder.
    """

    name: str

    @property
    def lock(self) -> Path:
        """The file with the exact version of each package."""
        return CLIENTS / f"{self.name}.txt"

    @property
    def scripts(self) -> Path:
        """The folder of its commands; another one for each lock."""
        mark = f"{zlib.crc32(self.lock.read_bytes()):08x}"
        return Path(sys.prefix, f"bench-{self.name}-{mark}", SCRIPTS.name)

    def version(self, package: str) -> str:
        """The locked version of a package."""
        lines = self.lock.read_text("utf-8").splitlines()
        (found,) = (line for line in lines if line.startswith(f"{package}=="))
        return found.partition("==")[2]

    def install(self) -> None:
        """Create the environment unless it exists.

        Raises:
            subprocess.CalledProcessError: The installation failed, for example without a network.
        """
        done = self.scripts / "installed"
        if done.exists():
            return
        uv = str(SCRIPTS / "uv")
        python = str(self.scripts / "python")
        for command in (
            [uv, "venv", "--quiet", "--clear", "--python", PYTHON, str(self.scripts.parent)],
            [uv, "pip", "install", "--quiet", "--python", python, "-r", str(self.lock)],
        ):
            subprocess.run(command, env=clean_environment(), check=True)  # noqa: S603 - our own
        done.touch()


@dataclass(frozen=True, slots=True)
class Program:
    """A program of the comparison.

    Attributes:
        name: Its name in the report.
        does: What it does with the rows.
        command: Returns its command line.
        environment: Its environment; None for the project's own.
        writes: Whether it writes the records.
    """

    name: str
    does: str
    command: Command
    environment: Environment | None = None
    writes: bool = True


def tap_cube(
    reading: Reading,
    settings: Mapping[str, Any] | None = None,
    *,
    is_incremental: bool = False,
) -> list[str]:
    """The command of our tap for one CRM and no other stream.

    Args:
        reading: The customers to read.
        settings: Settings in addition to address, credential and CRM.
        is_incremental: Whether it resumes from a bookmark that few rows are newer than.
    """
    config = {
        "api_url": reading.url,
        "auth_token": TOKEN,
        "data_owners": [{"id": reading.owner, "crm_types": ["B2C"]}],
        **(settings or {}),
    }
    command = tap_of(reading.folder, config, STREAM)
    if is_incremental:
        partition = {
            "context": {"data_owner_id": reading.owner, "crm_type": "B2C"},
            "replication_key": "updated",
            "replication_key_value": BOOKMARK,
        }
        state = {"bookmarks": {STREAM: {"partitions": [partition]}}}
        command += ["--state", reading.write("state.json", state)]
    return command


def tap_of(folder: Path, settings: Mapping[str, Any], only: str) -> list[str]:
    """The command of our tap with these settings and one stream selected."""
    command = [
        PYTHON,
        str(SCRIPTS / "tap-cube"),
        "--config",
        written(folder, "config.json", settings),
    ]
    catalog = json.loads(_said([*command, "--discover"]))
    for stream in catalog["streams"]:
        root = next(each for each in stream["metadata"] if not each["breadcrumb"])
        root["metadata"]["selected"] = stream["tap_stream_id"] == only
    return [*command, "--catalog", written(folder, "catalog.json", catalog)]


def plain_tap(reading: Reading) -> list[str]:
    """The command of a plain SDK tap, the baseline."""
    config = {"api_url": reading.url, "auth_token": TOKEN, "data_owner": reading.owner}
    path = reading.write("config.json", config)
    return [PYTHON, "-m", "tests.benchmarks.clients.plain_tap", "--config", path]


def vendor_loop(reading: Reading) -> list[str]:
    """The command of the vendor's loop."""
    return [PYTHON, str(CLIENTS / "vendor_loop.py"), reading.url + _path(reading)]


def dlt_lines(reading: Reading) -> list[str]:
    """The command of dlt's source."""
    python = str(DLT.scripts / "python")
    return [python, str(CLIENTS / "dlt_lines.py"), reading.url, _path(reading)]


def airbyte_read(reading: Reading) -> list[str]:
    """The command of Airbyte's CDK with a manifest."""
    return [
        str(AIRBYTE.scripts / "source-declarative-manifest"),
        "read",
        "--config",
        reading.write("config.json", {}),
        "--catalog",
        reading.write("catalog.json", airbyte.CATALOG),
        "--manifest-path",
        reading.write("manifest.json", airbyte.manifest(reading.url, _path(reading), TOKEN)),
    ]


def _path(reading: Reading) -> str:
    return f"{CRM.format(reading.owner)}customers/"


def _said(command: Sequence[str]) -> bytes:
    return subprocess.run(  # noqa: S603 - our own command
        command, capture_output=True, env=clean_environment(), check=True
    ).stdout


DLT, AIRBYTE = Environment("dlt"), Environment("airbyte")

OURS = Program("tap-cube", "this tap, default settings, RECORD messages", tap_cube)
PLAIN = Program(
    "plain SDK tap",
    "the same stream as the Meltano SDK's template writes it, "
    f"singer-sdk {version('singer-sdk')}, RECORD messages",
    plain_tap,
)
VENDOR = Program(
    "vendor's loop",
    "`requests.get` page by page, `.json()`, nothing written and nothing typed",
    vendor_loop,
    writes=False,
)
PEERS = (
    VENDOR,
    Program(
        "dlt",
        f"dlt {DLT.version('dlt')} `rest_api` source iterated to JSON lines, "
        "not normalised, not typed",
        dlt_lines,
        DLT,
    ),
    Program(
        "Airbyte CDK",
        f"airbyte-cdk {AIRBYTE.version('airbyte-cdk')} declarative source, full refresh, "
        "Airbyte's RECORD messages",
        airbyte_read,
        AIRBYTE,
    ),
)
