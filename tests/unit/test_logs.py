"""What may be in a log record: printable text of the tap, and nothing of other programs."""

from __future__ import annotations

import gc
import logging
import sys
import threading
import warnings
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_cube.logs import MAX_CHARACTERS, escaped, listed, protect, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

CANARY = "canary"


@pytest.fixture(autouse=True)
def protected(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Protect the log for one test, and log everything."""
    caplog.set_level(logging.DEBUG)
    for place, hook in ((threading, "excepthook"), (sys, "unraisablehook")):
        monkeypatch.setattr(place, hook, getattr(place, hook))
    factory = logging.getLogRecordFactory()
    protect()
    yield
    logging.setLogRecordFactory(factory)
    logging.captureWarnings(capture=False)


@pytest.mark.parametrize("name", ["urllib3.connectionpool", "made.later", "root", "singer_sdk.x"])
def test_other_packages_show_only_a_place_once(caplog: pytest.LogCaptureFixture, name: str) -> None:
    """Their warnings and errors can be looked up; what is below a warning is dropped."""
    logger = logging.getLogger(name)
    for text in (f"{CANARY} 1", f"{CANARY} 2"):
        logger.debug("url %s", text)
        logger.info(text)
        try:
            int(text)
        except ValueError:
            logger.exception(text, stack_info=True)
    (message,) = caplog.messages
    assert message.startswith("Message about ValueError from test_other_packages_show_only")
    assert CANARY not in caplog.text


def test_an_exception_beside_the_taps_own_text_is_dropped(caplog: pytest.LogCaptureFixture) -> None:
    """The SDK logs the text of errors with the tap's logger; it may show data."""
    try:
        int(CANARY)
    except ValueError as error:
        logging.getLogger("tap-cube").error("%s", error, exc_info=error)  # noqa: TRY400 - like it
    assert CANARY not in caplog.text
    assert "Message about ValueError" in caplog.text


def test_what_the_sdk_logs_about_stream_maps_is_dropped(caplog: pytest.LogCaptureFixture) -> None:
    """Its mapper logs values at DEBUG, and expressions at INFO, which may name a customer."""
    mapper = logging.getLogger("singer_sdk.mapper")
    mapper.debug("Stream eval result: %s = %s", "name", CANARY)
    mapper.info("Found '%s' filter rule: %s", "customers", f"name != '{CANARY}'")
    assert not caplog.messages


def test_errors_that_nobody_catches_show_no_value(caplog: pytest.LogCaptureFixture) -> None:
    """In a thread or a finalizer, an error is logged by type and place."""
    texts = [CANARY]

    class Broken:
        def __del__(self) -> None:
            raise KeyError(*texts)

    def fail() -> None:
        int(*texts)

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    Broken()
    gc.collect()
    for kind in ("ValueError", "KeyError"):
        assert f"Internal error {kind}; please report it with these lines." in caplog.messages
    assert all(message.isprintable() for message in caplog.messages)
    assert CANARY not in caplog.text


def test_a_warning_of_python_shows_no_text(caplog: pytest.LogCaptureFixture) -> None:
    """Warnings of any package go through the log."""
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=False)  # a test before this one may have begun it
        logging.captureWarnings(capture=True)
        warnings.warn(CANARY, stacklevel=1)
        logging.captureWarnings(capture=False)
    assert caplog.messages
    assert CANARY not in caplog.text


def test_a_template_without_its_values_ends_no_run(caplog: pytest.LogCaptureFixture) -> None:
    """A wrong template is logged as it is."""
    logging.getLogger("tap-cube").info("%d rows", "many")
    assert caplog.messages == ["%d rows"]


@given(st.text() | st.text().map(lambda text: text * 1000))
def test_any_text_is_one_printable_line(text: str) -> None:
    """Nothing is left that a terminal or a reader of lines takes for more than text."""
    assert escaped(text).isprintable()
    assert len(escaped(text)) <= MAX_CHARACTERS
    assert escaped(text) == text or not text.isprintable() or len(text) > MAX_CHARACTERS


@pytest.mark.parametrize("char", "\n\r\t\x00\x1b\x7f\x85\x9b\u200b\u2028\u2029\u202e\u2066\ud800")
def test_what_cannot_be_seen_is_written_out(char: str) -> None:
    """Control characters, directions, line ends and lone surrogates."""
    text = shown(f"a{char}b")
    assert text.isprintable()
    assert text[2] == "\\"
    assert text.encode().decode("unicode_escape") == f"'a{char}b'"


def test_long_texts_are_cut_where_they_stand() -> None:
    """So the sentence around them, with its remedy, stays whole."""
    assert shown("x" * 5_000_000) == f"'{'x' * 59}…'"
    assert listed(range(30)).endswith("17, 18, 19 and 10 more")
