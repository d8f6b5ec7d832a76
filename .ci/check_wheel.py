#!/usr/bin/env python3
"""Hold a built wheel against what the project promises to publish."""

from __future__ import annotations

import email
import sys
import zipfile
from pathlib import Path

MAXIMUM_SIZE = 240_000


def faults(wheel: Path) -> list[str]:
    """Say in a sentence each what is wrong with a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        metadata_name = next(name for name in names if name.endswith(".dist-info/METADATA"))
        metadata = email.message_from_bytes(archive.read(metadata_name))
    folders = {name.split("/")[0] for name in names}
    promises = {
        f"it holds other things than tap_cube: {sorted(folders)}": (
            folders == {"tap_cube", metadata_name.split("/")[0]}
        ),
        "it has no tap_cube/py.typed": "tap_cube/py.typed" in names,
        f"it is {wheel.stat().st_size} bytes large": wheel.stat().st_size < MAXIMUM_SIZE,
        f"its licence is {metadata['License-Expression']}": (
            metadata["License-Expression"] == "Apache-2.0"
        ),
        f"it wants Python {metadata['Requires-Python']}": metadata["Requires-Python"] == ">=3.11",
    }
    return [fault for fault, kept in promises.items() if not kept]


if __name__ == "__main__":
    sys.exit("\n".join(fault for name in sys.argv[1:] for fault in faults(Path(name))) or 0)
