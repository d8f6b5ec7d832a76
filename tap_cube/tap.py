"""TapCube: settings, discovery and the list of streams."""

from __future__ import annotations

import copy
import os
import typing as t
from pathlib import Path

import click
import simplejson
from singer_sdk import Tap
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities
from singer_sdk.tap_base import CliTestOptionValue
from typing_extensions import override

from tap_cube.account.discovery import Discovery
from tap_cube.account.memory import Memory
from tap_cube.errors import PartialRunError
from tap_cube.settings import Settings, typed
from tap_cube.settings_schema import SCHEMA
from tap_cube.singer.messages import BufferedWriter
from tap_cube.singer.partition_state import EncodedStateWriter
from tap_cube.singer.state import checked_json, checked_state
from tap_cube.singer.stream import EncodedStream
from tap_cube.streams.connection_test import ConnectionTest
from tap_cube.streams.registry import STREAMS
from tap_cube.streams.spec import CubeTap

if t.TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from singer_sdk.streams import Stream

_FOUND_FIRST = {"campaigns", "custom_fields", "assignment_customers", "data_owner_customers"}
"""Streams that discovery finds by itself, because they say which partitions the others have."""

_ACTIVATE_VERSION = next(
    each for each in (*PluginCapabilities, *TapCapabilities) if each.value == "activate-version"
)
"""A capability of taps until version 0.54 of the SDK, then of all plugins."""


class TapCube(CubeTap):
    """Singer tap for Headshed Cube, a CRM and call-centre platform."""

    name = "tap-cube"
    dynamic_catalog = True
    message_writer_class = BufferedWriter
    message_writer: BufferedWriter
    # A copy, since the SDK adds its own settings to it.
    config_jsonschema: t.ClassVar[dict[str, t.Any]] = copy.deepcopy(SCHEMA)
    capabilities: t.ClassVar[list[t.Any]] = [
        TapCapabilities.CATALOG,
        TapCapabilities.DISCOVER,
        TapCapabilities.STATE,
        _ACTIVATE_VERSION,
        PluginCapabilities.ABOUT,
        PluginCapabilities.BATCH,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    @override
    def __init__(
        self, *, config: t.Any = None, parse_env_config: bool = False, **options: t.Any
    ) -> None:
        # The SDK's own parsing of variables fails without naming the setting.
        if parse_env_config:
            self.append_builtin_config(self.config_jsonschema)
            names = self.config_jsonschema["properties"]
            variables = {name: os.environ.get(f"TAP_CUBE_{name.upper()}") for name in names}
            given = {name: value for name, value in variables.items() if value is not None}
            config = {**(config or {}), **given}
        # Discovery needs the state, which the SDK loads after it.
        state = options.get("state")
        self.memory = Memory.of_state(checked_state({} if state is None else state))
        super().__init__(config=config, **options)
        self._state_writer = EncodedStateWriter(self.message_writer)

    @override
    def discover_streams(self) -> list[Stream]:
        discovery = Discovery(self.client, self.pool, self.settings, self.logger, self.memory)
        probed = [spec for spec in STREAMS if not (spec.name in _FOUND_FIRST or spec.parent)]
        account = discovery.account({spec.name: spec.endpoints for spec in probed})
        self.failures.extend(account.failures)
        self.memory = self.memory.updated(account)
        self.memory.write(self.state)
        streams: dict[str, Stream] = {}
        for spec in STREAMS:
            if stream := spec.type.of_account(self, spec, account, streams):
                streams[spec.name] = stream
        return list(streams.values())

    @override
    def run_discovery(self) -> str:
        catalog = self.catalog_json_text
        self._raise_failures()  # many nights may use a catalog that lacks streams or columns
        self._print(f"{catalog}\n")
        return catalog

    def _print(self, text: str) -> None:
        # `print` fails on a full pipe that does not block.
        self.message_writer.write_line(text.encode())
        self.message_writer.flush()

    @override
    @classmethod
    def append_builtin_config(cls, config_jsonschema: dict[str, t.Any]) -> None:
        super().append_builtin_config(config_jsonschema)
        # The SDK's schema offers Parquet, which the tap does not write. The SDK shares it: copy.
        batch = copy.deepcopy(config_jsonschema["properties"]["batch_config"])
        batch["properties"]["encoding"]["properties"]["format"]["enum"] = ["jsonl"]
        config_jsonschema["properties"]["batch_config"] = batch

    @override
    def setup_mapper(self) -> None:
        if not self.memory.endpoints:
            self.logger.info("No state names addresses: it will name those that this run finds")
        super(Tap, self).setup_mapper()
        for stream in self._encoded_streams():
            stream.map_columns()

    def _encoded_streams(self) -> Iterator[EncodedStream]:
        return (each for each in self.streams.values() if isinstance(each, EncodedStream))

    @override
    def load_state(self, state: dict[str, t.Any]) -> None:
        super().load_state(checked_state(state))
        # What discovery found meanwhile, which an interrupted run must leave behind, too.
        self.memory.write(self.state)

    @override
    @classmethod
    def cb_config(cls, ctx: t.Any, param: t.Any, value: tuple[str, ...]) -> t.Any:
        # The SDK does not name a file that is not JSON.
        for path in value:
            if path != "ENV" and Path(path).is_file():
                with Path(path).open(encoding="utf-8") as file:
                    checked_json(file, "--config")
        return super().cb_config(ctx, param, value)

    @override
    @classmethod
    def get_singer_command(cls) -> click.Command:
        command = super().get_singer_command()
        for option in command.params:
            # Before `--discover` and `--test`, which need them.
            option.is_eager |= option.name in {"state", "catalog"}
            if isinstance(option, click.Option) and option.name == "test":
                option.help = (
                    "Read the first rows of each selected stream and print one line for each, "
                    "without data. Use --test=schema to print SCHEMA messages instead."
                )
        return command

    @override
    @classmethod
    def cb_discover(cls, ctx: click.Context, param: click.Option, value: bool) -> None:
        # The SDK's own ignores the state that Meltano passes. Without it, one 404 in the night
        # would leave streams and types out of the catalog.
        if not value:
            return
        config = ctx.params["config"]
        tap = cls(
            config=config.config,
            state=_loaded(ctx, "state", may_be_blank=True),
            parse_env_config=config.parse_env,
            setup_mapper=False,
        )
        tap.run_discovery()
        ctx.exit()

    @override
    @classmethod
    def cb_test(cls, ctx: click.Context, param: click.Option, value: str) -> None:
        # The SDK's own ignores the state, and the catalog, which says what is selected.
        if value == CliTestOptionValue.Disabled.value:
            return
        config = ctx.params["config"]
        tap = cls(
            config=config.config,
            state=_loaded(ctx, "state", may_be_blank=True),
            catalog=_loaded(ctx, "catalog"),
            parse_env_config=config.parse_env,
        )
        if value == CliTestOptionValue.Schema.value:
            tap.write_schemas()
            tap._raise_failures()
        else:
            tap.run_connection_test()
        ctx.exit()

    @override
    @classmethod
    def invoke(
        cls, *, state: t.IO[str] | None = None, catalog: t.IO[str] | None = None, **options: t.Any
    ) -> None:
        state = state and checked_json(state, "--state", may_be_blank=True)
        catalog = catalog and checked_json(catalog, "--catalog")
        super().invoke(state=state, catalog=catalog, **options)

    @override  # type: ignore[misc]  # "final", but the SDK has no other end of a run
    def sync_all(self) -> None:
        """Sync all streams.

        Raises:
            PartialRunError: If anything could not be read.
        """
        try:
            super().sync_all()
        finally:  # also if the run breaks off
            for stream in self._encoded_streams():
                stream.warn_of_left_out_columns()
        self._raise_failures()

    @override  # type: ignore[misc]  # likewise
    def run_connection_test(self) -> bool:
        self.pool.size = 0  # it takes few requests, one after the other
        ConnectionTest(self._print, self.failures).run(self.streams.values())
        self._raise_failures()
        return True

    def _raise_failures(self) -> None:
        if self.failures:
            raise PartialRunError(self.failures)

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        # The SDK's own check prints the values it rejects, including secrets.
        self.append_builtin_config(self.config_jsonschema)
        self._config = typed(self._config, self.config_jsonschema)
        try:
            self.settings = Settings.from_config(self._config, self.config_jsonschema)
        except ConfigValidationError as error:
            if raise_errors:
                raise
            return error.errors
        return []

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        # An interrupted run must not exit with 0. The handler writes no message of its own: it
        # could land in the middle of another one.
        self.client.stop()
        self.message_writer.end(128 + signum)


def _loaded(ctx: click.Context, option: str, *, may_be_blank: bool = False) -> t.Any:  # noqa: ANN401 - JSON
    """The content of an option's file; None without one, or if it is blank."""
    file = ctx.params.get(option)
    checked = file and checked_json(file, f"--{option}", may_be_blank=may_be_blank)
    return checked and simplejson.load(checked)
