"""The command line: its options, the files that they name, and the variables that it reads."""

from __future__ import annotations

import logging
import os
import sys
import typing as t

import click
from singer_sdk import Tap
from singer_sdk.cli import plugin_cli
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.tap_base import CliTestOptionValue
from typing_extensions import override

from tap_cube.errors import CubeError, SettingsError
from tap_cube.singer.batches import check_storage
from tap_cube.singer.files import read_config, read_json
from tap_cube.streams.spec import CubeTap

if t.TYPE_CHECKING:
    from collections.abc import Mapping

_LEVEL_VARIABLES = ("TAP_CUBE_LOGLEVEL", "LOGLEVEL")
_LOG_CONFIG = "SINGER_SDK_LOG_CONFIG"


class CommandLine(CubeTap):
    """The command ``tap-cube``."""

    @override
    @plugin_cli
    def cli(cls) -> click.Command:  # noqa: N805 - the decorator makes it a property of the class
        """Set up the log, and make the command.

        Raises:
            CubeError: If a variable of the log is wrong.
        """
        wrong = _take_wrong_levels()
        if not os.environ.get(_LOG_CONFIG):
            os.environ.pop(_LOG_CONFIG, None)  # empty, which the SDK takes for a file
        try:
            command: click.Command = super().cli
        except Exception as error:  # noqa: BLE001 - a log configuration may name any class
            msg = (
                f"The file that variable {_LOG_CONFIG} names is not a logging configuration "
                f"({type(error).__name__}). Fix it, or unset the variable."
            )
            raise CubeError(msg) from None
        _enable_loggers()
        if _keep_log_from_stdout():
            cls.logger.warning(
                "The file that variable %s names sends the log to stdout, where the target reads "
                "messages; it goes to stderr instead.",
                _LOG_CONFIG,
            )
        if wrong:
            msg = f"Variable {wrong} must be DEBUG, INFO, WARNING, ERROR or CRITICAL."
            raise CubeError(msg)
        return command

    @override
    @classmethod
    def get_singer_command(cls) -> click.Command:
        command = super().get_singer_command()
        for option in command.params:
            # Before `--discover` and `--test`, which need them.
            option.is_eager |= option.name in {"state", "catalog"}
            if isinstance(option, click.Option) and option.name == "test":
                option.type = click.Choice([each.value for each in CliTestOptionValue])
                option.help = (
                    "Read the first rows of each selected stream and print one line for each, "
                    "without data. Use --test=schema to print SCHEMA messages instead."
                )
            if isinstance(option.type, click.File):
                option.type = click.File(encoding="utf-8")  # whatever the system's encoding is
        return command

    @override
    @classmethod
    def cb_config(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> t.Any:
        # The SDK does not name a file that is not JSON.
        given = super().cb_config(ctx, param, ())
        for path in value:
            if path == "ENV":
                given.parse_env = True
            else:
                given.config |= read_config(path)
        return given

    @override
    @classmethod
    def cb_discover(cls, ctx: click.Context, param: click.Option, value: bool) -> None:
        # The SDK's own ignores the state that Meltano passes. Without it, one 404 in the night
        # would leave streams and types out of the catalog.
        if not value:
            return
        tap = cls._of_files(ctx.params, setup_mapper=False)
        tap.run_discovery()
        ctx.exit()

    @override
    @classmethod
    def cb_test(cls, ctx: click.Context, param: click.Option, value: str) -> None:
        # The SDK's own ignores the state, and the catalog, which says what is selected.
        if value == CliTestOptionValue.Disabled.value:
            return
        tap = cls._of_files(ctx.params)
        if value == CliTestOptionValue.Schema.value:
            tap.write_schemas()
            tap.raise_failures()
        else:
            tap.run_connection_test()
        ctx.exit()

    @override
    @classmethod
    def invoke(
        cls,
        *,
        config: t.Any = None,
        state: t.IO[str] | None = None,
        catalog: t.IO[str] | None = None,
        **options: t.Any,
    ) -> None:
        super(Tap, cls).invoke(**options)
        cls.print_version(print_fn=cls.logger.info)
        files = {"config": config, "state": state, "catalog": catalog}
        tap = cls._of_files(files, setup_mapper=False)  # which would begin the discovery
        check_storage(tap.config)
        tap.setup_mapper()
        tap.sync_all()

    @classmethod
    def _of_files(cls, files: Mapping[str, t.Any], **options: t.Any) -> t.Self:  # noqa: ANN401 - as in the SDK
        """Make the tap of the files that the command line names."""
        state, catalog, config = files.get("state"), files.get("catalog"), files["config"]
        if state:
            options["state"] = read_json(state, "--state", may_be_blank=True)
        if catalog:
            # The SDK takes a file that holds nothing but `null` for one that was not given.
            options["catalog"] = read_json(catalog, "--catalog") or []
        try:
            return cls(config=config.config, parse_env_config=config.parse_env, **options)
        except ConfigValidationError as error:  # to which the SDK would add a line of its own
            raise SettingsError(error.errors) from None


def _loggers() -> list[logging.Logger]:
    return [logging.getLogger(), *map(logging.getLogger, logging.root.manager.loggerDict)]


def _enable_loggers() -> None:
    """Enable the loggers that a log configuration does not name: it disables them by default."""
    for logger in _loggers():
        logger.disabled = False


def _keep_log_from_stdout() -> bool:
    """Turn handlers of the log from stdout to stderr; return whether there was one."""
    handlers = [
        handler
        for logger in _loggers()
        for handler in logger.handlers
        if isinstance(handler, logging.StreamHandler) and handler.stream is sys.stdout
    ]
    for handler in handlers:
        handler.setStream(sys.stderr)
    return bool(handlers)


def _take_wrong_levels() -> str:
    """Unset the variables of the log level that are empty or wrong; return a wrong one's name."""
    wrong = ""
    for name in _LEVEL_VARIABLES:
        if os.environ.get(name, "INFO").upper() not in logging.getLevelNamesMapping():
            wrong = wrong or (name if os.environ[name] else "")
            del os.environ[name]
    return wrong
