"""Meltano Hub on loopback, and projects that ask it."""

from __future__ import annotations

import http.server
import json
import threading
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import yaml
from typing_extensions import override

from tests.repository import hub

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

PROJECT = """\
project_id: hub-test
default_environment: dev
send_anonymous_usage_stats: false
hub_api_root: {hub}
cli:
  disable_version_check: true
environments:
- name: dev
"""
"""A project's file, to be followed by plugins."""


class _Quiet(http.server.SimpleHTTPRequestHandler):
    """A web server's answers without its log."""

    @override
    def log_message(self, *args: object) -> None:
        pass


def committed_listing(pip_url: str) -> dict[str, Any]:
    """The project's own listing, with another place of the tap's package."""
    definition: dict[str, Any] = yaml.safe_load((hub.FOLDER / hub.LISTING).read_text("utf-8"))
    return definition | {"pip_url": pip_url}


def committed_definition(pip_url: str) -> dict[str, Any]:
    """The project's own definition for `--from-ref`, with another place of the tap's package."""
    definition: dict[str, Any] = yaml.safe_load((hub.FOLDER / hub.DEFINITION).read_text("utf-8"))
    definition["variants"][0]["pip_url"] = pip_url
    return definition


@contextmanager
def serving(folder: Path, **listings: Mapping[str, Any]) -> Iterator[str]:
    """Serve listings as the Hub's API does.

    Args:
        folder: An empty folder.
        listings: One listing for each kind of plugins, such as `extractors`.
    """
    answer = partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), answer) as server:
        root = f"http://127.0.0.1:{server.server_port}"
        for kind, definition in listings.items():
            _publish(folder, root, kind, definition)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield root
        finally:
            server.shutdown()
            thread.join()


def _publish(folder: Path, root: str, kind: str, definition: Mapping[str, Any]) -> None:
    """Write what the Hub answers about a plugin."""
    name, variant = definition["name"], definition["variant"]
    path = f"plugins/{kind}/{name}--{variant}"
    (folder / path).parent.mkdir(parents=True)
    (folder / path).write_text(json.dumps(definition))
    defaults = yaml.safe_load((hub.FOLDER / "default_variants.yml").read_text("utf-8"))
    entry = {
        "default_variant": defaults.get(kind, {}).get(name, variant),
        "logo_url": definition["logo_url"],
        "variants": {variant: {"ref": f"{root}/{path}"}},
    }
    (folder / path).with_name("index").write_text(json.dumps({name: entry}))
