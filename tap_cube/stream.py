"""What the streams share: partitions, pages, columns, and columns that appear meanwhile."""

from __future__ import annotations

import logging
import typing as t
from threading import Event
from urllib.parse import parse_qsl, urlsplit

from singer_sdk.helpers._catalog import get_selected_schema  # what the SDK's own mapper is given
from singer_sdk.helpers._util import utc_now
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import SameRecordTransform
from singer_sdk.streams import RESTStream
from typing_extensions import override

from tap_cube.client import Subject
from tap_cube.completeness import CompleteReader
from tap_cube.custom_fields import SCHEMAS
from tap_cube.errors import CubeError, ForbiddenError, NotFoundError, TransientError
from tap_cube.pagination import NO_PAGE, NextLinkPaginator, Page, Pages, decode_page
from tap_cube.read_ahead import ReadAhead
from tap_cube.records import UNPARSED, RecordDecoder
from tap_cube.rows import decode_row
from tap_cube.writer import encode

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from singer_sdk.helpers.types import Context, Record

    from tap_cube.discovery import Source
    from tap_cube.generations import Endpoint
    from tap_cube.records import Column
    from tap_cube.rows import Head
    from tap_cube.tap import TapCube


class EncodedRecord(dict[str, t.Any]):
    """A record that is JSON text already; as a dictionary it holds what the SDK asks for."""

    __slots__ = ("text",)

    def __init__(self, text: bytes, context: Context | None, **asked: object) -> None:
        """Hold the text, and the values that partitions and state are made of."""
        super().__init__(context or {}, **asked)
        self.text = text


UNPARSED_SCHEMA: Mapping[str, t.Any] = {
    "type": ["object", "null"],
    "title": "Unparsed values",
    "description": "Values that do not fit their column's type, as Cube sent them.",
}


class CubeStream(RESTStream[t.Any]):
    """A resource of the account, read page by page.

    Args:
        tap: The tap, with its client and settings.
        endpoints: Where to read each source, by its name.
        sources: The partitions; without any the resource is read as a whole.
        properties: JSON Schema of each column.
        may_be_list: Whether answers may be bare lists, which have no pages (T13).
    """

    _tap: TapCube

    # Records leave the decoder with the types of their schema.
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE

    # Columns that records have beside Cube's own and the context.
    added_columns: t.ClassVar[Sequence[str]] = ()

    def __init__(
        self,
        tap: TapCube,
        *,
        endpoints: Mapping[str, Endpoint],
        sources: Sequence[Source] = (),
        properties: Mapping[str, Mapping[str, t.Any]],
        may_be_list: bool = True,
    ) -> None:
        """Ask nothing yet."""
        self._may_be_list = may_be_list
        self.settings = tap.settings
        self.client = tap.client
        self._endpoints = endpoints
        self._sources = sources
        self._extracted_at = b"null"
        self.reading = 0
        super().__init__(tap, schema={"type": "object", "properties": dict(properties)})

    @property
    @override
    def url_base(self) -> str:
        return self.settings.api_url

    @property
    @override
    def partitions(self) -> list[dict[str, t.Any]] | None:
        return [self.partition_of(source) for source in self._sources] or None

    @override
    def log(self, message: str, *args: object, level: int = logging.INFO, **kwargs: t.Any) -> None:
        # The SDK calls every error unhandled; it is told once, by the command line.
        if level < logging.ERROR:
            super().log(message, *args, level=level, **kwargs)

    def partition_of(self, source: Source) -> dict[str, t.Any]:
        """Context of a source's partition, as it stands in state and records."""
        return dict(source.context)

    @override
    def request_records(self, context: Context | None) -> Iterator[Record]:
        source = self._source_of(context)
        added = (*(context or {}), *self.added_columns)
        decoder = RecordDecoder(self.settings.timezone, lambda key: self.column(key, source), added)
        try:
            yield from self.records(source, context, decoder)
        except ForbiddenError as error:
            if source is None or source.setting:
                raise
            self.logger.warning("%s is left out. %s", source.name, error)
        if decoder.unparsed:
            self.logger.warning(
                "Values that do not fit the type of their column stand in '%s': %s",
                UNPARSED,
                ", ".join(f"{name} {n}" for name, n in sorted(decoder.unparsed.items())),
            )

    def records(
        self, source: Source | None, context: Context | None, decoder: RecordDecoder
    ) -> Iterator[Record]:
        """Yield the records of one partition."""
        added = (context or {}).values()
        for rows in self.read(source):
            for row, _ in rows:
                yield decoder.decode(self.prepare(decode_row(row)), *added)

    def prepare(self, row: Record) -> Record:
        """Mend what a resource is known to send in its own way."""
        return row

    def read(self, source: Source | None) -> Iterator[list[tuple[bytes, Head]]]:
        """Yield the rows of all pages of one partition, certain to be complete."""
        name = source.name if source else ""
        endpoint = self._endpoints[name]
        self.path = endpoint.path  # what the SDK's metrics show
        target = endpoint.target(source.context if source else {})

        is_begun = Event()

        def decode(body: bytes) -> Page:
            page = decode_page(body)
            if page.is_list and not self._may_be_list:
                raise TransientError(NO_PAGE)
            return page

        def fetch(target: str) -> Page | None:
            number = int(dict(parse_qsl(urlsplit(target).query)).get("page", 1))
            subject = Subject(self.name, name, number)
            try:
                page = self.client.get(target, subject, decode, is_known=number == 1)
            except NotFoundError:
                return None
            except ForbiddenError as error:
                if is_begun.is_set():  # what was readable a moment ago cannot be left out
                    raise CubeError(str(error)) from None
                raise
            is_begun.set()
            return page

        with (
            ReadAhead(fetch, self.settings.read_ahead, self._tap.message_writer.flush) as fetched,
            self.get_http_request_counter() as counter,
        ):
            counter.with_context(dict(source.context) if source else None)
            before = self.client.requests
            pages = Pages(NextLinkPaginator(target, self.logger), fetched, self._width)
            subject = f"{self.name} of {name}" if name else self.name
            reader = CompleteReader(pages, subject=subject, logger=self.logger)
            for rows in reader:
                self.reading = reader.reading
                self._extracted_at = encode(utc_now())
                yield rows
            counter.increment(self.client.requests - before)

    def _width(self) -> int:
        return 0 if self.client.is_calming else self.settings.read_ahead

    def _source_of(self, context: Context | None) -> Source | None:
        return next((s for s in self._sources if self.partition_of(s) == dict(context or {})), None)

    def column(self, key: str, source: Source | None) -> Column:
        """Column of a key that Cube sends; a key nobody knew becomes one (drift)."""
        del source
        return self.known_column(key)

    def known_column(self, name: str) -> Column:
        """A column and its schema by the effective catalog; None if it is not selected."""
        if name not in self.effective_schema["properties"]:
            self._add_property(name, UNPARSED_SCHEMA if name == UNPARSED else SCHEMAS["string"])
        if not self.mask["properties", name]:
            return None
        return name, self.effective_schema["properties"][name]

    @property
    def is_plain(self) -> bool:
        """Whether records go out as they leave the decoder, with nothing for the SDK to do."""
        first, *others = self.stream_maps
        is_same = type(first) is SameRecordTransform and not first.flattening_enabled
        is_alone = not others and not self.has_selected_descendents
        return is_same and is_alone and not self.config.get("batch_config")

    @override
    def _write_record_message(self, record: Record) -> None:
        if not isinstance(record, EncodedRecord):
            super()._write_record_message(record)
            return
        version = b'"version":%d,' % self._stream_version if self._stream_version else b""
        self._tap.message_writer.write_line(
            b'{"type":"RECORD","stream":"%b","record":%b,%b"time_extracted":%b}\n'
            % (self.name.encode(), record.text, version, self._extracted_at)
        )
        self.state_manager.is_flushed = False

    def _add_property(self, name: str, schema: Mapping[str, t.Any]) -> None:
        """Declare a property that came after discovery, by a new SCHEMA message."""
        self._schema = _with_property(self.schema, name, schema)
        if self._input_schema is not None:
            self._input_schema = _with_property(self._input_schema, name, schema)
        selected = get_selected_schema(self.name, self.effective_schema, self.mask)
        self._tap.mapper.register_raw_stream_schema(self.name, selected, self.primary_keys)
        self._stream_maps = None
        self._write_schema_message()


def _with_property(
    schema: Mapping[str, t.Any], name: str, added: Mapping[str, t.Any]
) -> dict[str, t.Any]:
    return {**schema, "properties": {**schema["properties"], name: dict(added)}}


def properties_of(fields: Mapping[str, t.Any]) -> dict[str, dict[str, t.Any]]:
    """JSON Schema of fixed fields, each nullable."""
    return {name: _nullable(type_.to_dict()) for name, type_ in fields.items()}


def _nullable(schema: Mapping[str, t.Any]) -> dict[str, t.Any]:
    types = schema["type"]
    return {**schema, "type": [*(types if isinstance(types, list) else [types]), "null"]}


def keyed(properties: Mapping[str, dict[str, t.Any]], keys: Iterable[str]) -> dict[str, t.Any]:
    """The same properties, those of the key never null."""
    return {
        name: {**schema, "type": [kind for kind in schema["type"] if kind != "null"]}
        if name in set(keys)
        else schema
        for name, schema in properties.items()
    }
