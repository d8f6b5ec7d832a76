"""TapCube: settings, discovery and the list of streams."""

from __future__ import annotations

import copy
import os
import signal
import typing as t

from singer_sdk import Tap
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities
from singer_sdk.singerlib import Catalog
from typing_extensions import override

from tap_cube.account.discovery import Discovery
from tap_cube.account.memory import Memory
from tap_cube.command import CommandLine
from tap_cube.setting_names import of_variables, unknown_names
from tap_cube.settings import Settings, typed
from tap_cube.settings_schema import SCHEMA
from tap_cube.singer.catalog import Keys, checked_catalog
from tap_cube.singer.loaded_files import BATCH_FILES, begin_run
from tap_cube.singer.map_rules import OF_MAPS, map_errors
from tap_cube.singer.maps import check_aliases
from tap_cube.singer.messages import BufferedWriter
from tap_cube.singer.partition_state import EncodedStateWriter
from tap_cube.singer.state import checked_state
from tap_cube.singer.versions import check_versions
from tap_cube.streams.base import CubeStream
from tap_cube.streams.bookmarks import check_bookmarks
from tap_cube.streams.column_types import watched_columns
from tap_cube.streams.connection_test import ConnectionTest
from tap_cube.streams.registry import RUN_LOG, STREAMS

if t.TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from types import FrameType

    from singer_sdk.streams import Stream

    from tap_cube.singer.stream import EncodedStream
    from tap_cube.streams.run_log import RunLogStream

_FOUND_FIRST = {"campaigns", "custom_fields", "assignment_customers", "data_owner_customers"}
"""Streams that discovery finds by itself, because they say which partitions the others have."""

_ACTIVATE_VERSION = next(
    each for each in (*PluginCapabilities, *TapCapabilities) if each.value == "activate-version"
)
"""A capability of taps until version 0.54 of the SDK, then of all plugins."""

KEYS: t.Final = {
    spec.name: Keys(spec.primary_keys, key if isinstance(key, str) else None)
    for spec in STREAMS
    for key in [getattr(spec.type, "replication_key", None)]
}
"""The keys of each stream."""


class TapCube(CommandLine):
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
        self.append_builtin_config(self.config_jsonschema)
        self._reads_variables = parse_env_config
        if parse_env_config:  # the SDK's own parsing of variables fails without naming the setting
            given = of_variables(os.environ, self.config_jsonschema)
            config = {**(config or {}), **given}
        # Discovery needs the state, which the SDK loads after it.
        state = options.get("state")
        state = checked_state({} if state is None else state)
        self.memory = Memory.of_state(state)
        for spec in STREAMS:
            self.memory.expected(spec.name, spec.endpoints)
            check_bookmarks(state, spec.name, KEYS[spec.name].replication)
            check_versions(spec.name, state["bookmarks"].get(spec.name, {}))
        catalog = options.pop("catalog", None)
        if isinstance(catalog, Catalog):
            catalog = catalog.to_dict()
        if catalog is not None:
            catalog = checked_catalog(catalog, KEYS, self.logger)
        super().__init__(config=config, catalog=catalog, **options)
        self._state_writer = EncodedStateWriter(self.message_writer)

    @override
    def discover_streams(self) -> list[Stream]:
        discovery = Discovery(
            self.client,
            self.pool,
            self.settings,
            self.logger,
            self.memory,
            row_types={spec.name: of for spec in STREAMS if (of := spec.type.row_type)},
            kept=self.first_pages,
        )
        probed = {
            spec.name: spec.endpoints
            for spec in STREAMS
            if spec.endpoints and not (spec.name in _FOUND_FIRST or spec.parent)
        }
        account = discovery.account(probed)
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
        self.raise_failures()  # many nights may use a catalog that lacks streams or columns
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
            self.logger.info("No state says where streams are read from: this run finds out")
        super(Tap, self).setup_mapper()
        streams = t.cast("Collection[EncodedStream]", self.streams.values())
        for stream in streams:
            stream.map_columns()
        check_aliases(self.mapper, [each.name for each in streams if each.selected])

    def _cube_streams(self) -> Iterator[CubeStream[t.Any]]:
        return (each for each in self.streams.values() if isinstance(each, CubeStream))

    @override
    def load_state(self, state: dict[str, t.Any]) -> None:
        super().load_state(checked_state(state))
        if BATCH_FILES in state:  # beside the bookmarks, where the SDK does not look
            kept = {BATCH_FILES: copy.deepcopy(state[BATCH_FILES])}
            t.cast("dict[str, t.Any]", self.state).update(kept)
        # What discovery found meanwhile, which an interrupted run must leave behind, too.
        self.memory.write(self.state)

    @override  # type: ignore[misc]  # "final", but the SDK has no other end of a run
    def sync_all(self) -> None:
        """Sync all streams.

        Raises:
            PartialRunError: If anything could not be read.
        """
        self._warn_of_no_selection()
        streams = [each for each in self._cube_streams() if each.selected]
        run_log = t.cast("RunLogStream", self.streams[RUN_LOG])
        for stream in self._cube_streams():
            if not (stream.selected or stream.has_selected_descendents):
                self.first_pages.forget(stream.name)
        for stream in streams:
            stream.full_load.begin()  # now, so that the first STATE message holds it
        begin_run(self.config, self.state)  # likewise
        with run_log.of_run(self.failures):
            with watched_columns(streams):
                super().sync_all()
            self._state_writer.write_state(self.state)
        self.raise_failures()

    @override  # type: ignore[misc]  # likewise
    def run_connection_test(self) -> bool:
        self._warn_of_no_selection()
        self.client.limit.upper = 0  # it takes few requests, one after the other
        ConnectionTest(self._print, self.failures).run(self._cube_streams())
        self.raise_failures()
        return True

    def _warn_of_no_selection(self) -> None:
        if self.streams and not any(stream.selected for stream in self._cube_streams()):
            self.logger.warning("The catalog selects no stream (Meltano: check 'select').")

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        # The SDK's own check prints the values it rejects, including secrets.
        schema = self.config_jsonschema
        config = typed(self._config, schema)
        # The SDK takes a setting that is null for one that is given.
        self._config = {name: value for name, value in config.items() if value is not None}
        unknown = unknown_names(
            self._config, os.environ, schema, are_variables_read=self._reads_variables
        )
        errors = [*map_errors(self._config, KEYS)]
        rest = {n: value for n, value in self._config.items() if not (errors and n in OF_MAPS)}
        try:
            self.settings = Settings.from_config(rest, schema)
        except ConfigValidationError as error:
            errors += error.errors
        if errors and raise_errors:
            msg = "Settings are not valid"
            raise ConfigValidationError(msg, errors=[*unknown, *errors])  # one may explain another
        for warning in unknown:
            self.logger.warning(warning)
        return errors

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        # An interrupted run must not exit with 0. The handler writes no message of its own: it
        # could land in the middle of another one.
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.SIG_IGN)  # another one would interrupt the end of this one
        self.client.stop()
        self.message_writer.end(128 + signum)
