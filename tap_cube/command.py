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

from tap_cube.errors import CubeError, InputFileError, SettingsError
from tap_cube.setting_names import PREFIX, of_variables
from tap_cube.settings_schema import SCHEMA
from tap_cube.singer.batches import check_storage
from tap_cube.singer.files import read_config, read_json
from tap_cube.streams.spec import CubeTap

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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
        cls.logger.addFilter(_is_of_use)
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
        command.context_settings["help_option_names"] = ["-h", "--help"]
        command.params.append(_words())
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
                option.type, option.metavar = click.STRING, "FILENAME"  # read and checked here
        return command

    @override
    @classmethod
    def cb_config(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> t.Any:
        # The SDK does not name a file that is not JSON.
        if not value:
            return None
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
        state: t.Any = None,
        catalog: t.Any = None,
        **options: t.Any,
    ) -> None:
        super(Tap, cls).invoke(**options)
        cls.print_version(print_fn=cls.logger.info)
        files = {"config": config, "state": state, "catalog": catalog}
        tap = cls._of_files(files, setup_mapper=False)  # which would begin the discovery
        check_storage(tap.config, is_first_run=not tap.memory.endpoints)
        tap.setup_mapper()
        tap.sync_all()

    @classmethod
    def _of_files(cls, files: Mapping[str, t.Any], **options: t.Any) -> t.Self:  # noqa: ANN401 - as in the SDK
        """Make the tap of the files that the command line names."""
        state, catalog, config = files.get("state"), files.get("catalog"), files.get("config")
        if config is None:
            raise CubeError(_how_to_give_settings())
        if state is not None:
            options["state"] = read_json(state, "--state", may_be_blank=True)
        if catalog is not None:
            # The SDK takes a file that holds nothing but `null` for one that was not given.
            options["catalog"] = read_json(catalog, "--catalog") or []
        try:
            return cls(config=config.config, parse_env_config=config.parse_env, **options)
        except ConfigValidationError as error:  # to which the SDK would add a line of its own
            unread = () if config.parse_env else _variables_beside(config.config)
            raise SettingsError([*error.errors, *unread]) from None
        except InputFileError as error:
            text = str(error)
            where = f"File {files[error.option]!r}, given to --{error.option}"
            msg = f"{where}: {text[:1].lower()}{text[1:]}"
            raise CubeError(msg) from None


def _words() -> click.Argument:
    """The words that belong to no option; each is a usage error, before `--discover` runs."""

    def refuse(context: click.Context, _: click.Parameter, words: tuple[str, ...]) -> None:
        if words:  # which may hold a credential, so they are not shown
            msg = "Name each file with its option: --config, --catalog or --state."
            raise click.UsageError(msg, context)

    return click.Argument(
        ["words"], nargs=-1, metavar="", is_eager=True, expose_value=False, callback=refuse
    )


def _how_to_give_settings() -> str:
    """What to do about a command line without settings."""
    variables = [f"{PREFIX}{name.upper()}" for name in of_variables(os.environ, SCHEMA)]
    if variables:
        return (
            f"Option --config is missing: variables such as {variables[0]} are read only with it. "
            "Add --config=ENV."
        )
    return (
        "Option --config is missing: give the name of a JSON file with the settings, or ENV to "
        f"read variables such as {PREFIX}API_URL and {PREFIX}AUTH_TOKEN. See tap-cube --help."
    )


def _variables_beside(config: Mapping[str, t.Any]) -> Iterator[str]:
    """Yield a sentence if variables have what a file of wrong settings lacks."""
    credentials = {"auth_token", "username", "password"}
    wanted = {"api_url", *(() if credentials & config.keys() else credentials)} - config.keys()
    given = of_variables(os.environ, SCHEMA)
    if lacking := [name for name, value in given.items() if name in wanted and value]:
        variable = f"{PREFIX}{lacking[0].upper()}"
        yield f"Variables such as {variable} are read only with a further --config=ENV."


def _loggers() -> list[logging.Logger]:
    return [logging.getLogger(), *map(logging.getLogger, logging.root.manager.loggerDict)]


def _enable_loggers() -> None:
    """Enable the loggers that a log configuration does not name: it disables them by default."""
    for logger in _loggers():
        logger.disabled = False


def _is_of_use(record: logging.LogRecord) -> bool:
    """Whether a record may help; the SDK says that it skips variables, which the tap has read."""
    return not record.getMessage().startswith("Skipping parse of env var")


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
