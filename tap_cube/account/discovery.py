"""Discovery of an account: campaigns, assignments, CRMs, custom fields, and endpoints."""

from __future__ import annotations

import logging
import typing as t
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from itertools import islice

import msgspec

from tap_cube.account import generations
from tap_cube.account.custom_fields import label_columns, read_definitions
from tap_cube.account.model import ACCOUNT, Account, Partition, Resource, read_campaigns
from tap_cube.account.probe import Probe, probe
from tap_cube.account.selection import assignments_to_read, crms_to_read, is_wanted
from tap_cube.errors import CubeError, ForbiddenError, NotFoundError
from tap_cube.http.prefetch import Prefetcher
from tap_cube.paging.windows import Window
from tap_cube.records.codec import decode_row

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tap_cube.account.endpoint import Endpoint
    from tap_cube.account.probe import ProbeResult
    from tap_cube.http.client import CubeClient
    from tap_cube.http.prefetch import WorkerPool
    from tap_cube.records.page import Page
    from tap_cube.settings import Settings

_RECENT = timedelta(days=30)
"""Length of the window that probes request from endpoints that take one."""


class Discovery:
    """Finds what an account contains and which endpoints serve it.

    Args:
        client: Client of the account.
        pool: Threads that fetch ahead.
        settings: Settings, which may name the assignments and CRMs to read.
        logger: Logs what was found and what is skipped.
    """

    def __init__(
        self, client: CubeClient, pool: WorkerPool, settings: Settings, logger: logging.Logger
    ) -> None:
        self._client = client
        self._pool = pool
        self._probes = Prefetcher(partial(probe, client), pool)
        today = datetime.now(settings.timezone).date()
        self._recent_days = Window(today - _RECENT, today)
        self._settings = settings
        self._logger = logger

    def account(self, events: Mapping[str, Sequence[Endpoint]]) -> Account:
        """Request campaigns, custom fields and first pages.

        Args:
            events: Endpoints of each other stream, by its name and in the order to try. The ids
                in their paths say whether campaigns, CRMs or assignments are their partitions.

        Raises:
            CubeError: If the credential is refused, the host cannot be reached, a partition that
                the settings name cannot be read, or there is nothing to read.
        """
        rows = self._campaigns()
        campaigns = read_campaigns(rows or ())
        assignments = self._customers(
            "assignment_customers",
            assignments_to_read(self._settings, campaigns),
            generations.ASSIGNMENT_CUSTOMERS,
            generations.ASSIGNMENT_DEFINITIONS,
        )
        crms = self._customers(
            "data_owner_customers",
            crms_to_read(self._settings, campaigns),
            generations.DATA_OWNER_CUSTOMERS,
            generations.DATA_OWNER_DEFINITIONS,
        )
        partitions = [Partition.of_campaign(c) for c in campaigns if is_wanted(self._settings, c)]
        partitions += [p for found in (assignments, crms) if found for p in found.partitions]
        # The endpoint of the whole account would also serve CRMs that the settings do not name.
        if self._settings.crms is None:
            partitions.append(ACCOUNT)
        found = {
            "assignment_customers": assignments,
            "data_owner_customers": crms,
            **dict(self._events(events, partitions)),
        }
        resources = {stream: resource for stream, resource in found.items() if resource}
        if rows is None and not resources:
            msg = (
                "Nothing to read: the account lists no campaigns, so the tap cannot discover "
                "assignments and CRMs. Set 'assignment_ids' or 'data_owners', and check 'api_url'."
            )
            raise CubeError(msg)
        keys = None if rows is None else frozenset(k for row in rows for k in row)
        fields = [field for resource in resources.values() for field in resource.fields]
        for name in sorted({field.type_name for field in fields if not field.is_known}):
            self._logger.info("Custom fields of the unknown type '%s' are read as text", name)
        label_names = label_columns(fields) if self._settings.label_names else {}
        return Account(keys, tuple(campaigns), resources, label_names)

    def _campaigns(self) -> list[dict[str, t.Any]] | None:
        """Rows of the campaigns; None if the account lists none."""
        places = ((endpoint, ACCOUNT) for endpoint in generations.CAMPAIGNS)
        result = self._result(self._probe("campaigns", places))
        if result.refusals:
            self._logger.warning("%s", result.refusals[0])
            return None
        if result.response is None:
            self._logger.info("The account lists no campaigns; stream 'campaigns' is skipped")
            return None
        return list(_objects(result.response[1].raw_rows))

    def _customers(
        self,
        stream: str,
        partitions: Sequence[Partition],
        customers: tuple[Endpoint, ...],
        definitions: tuple[Endpoint, ...],
    ) -> Resource | None:
        """Find the partitions that respond, and the endpoints of customers and definitions."""
        kept: list[Resource] = []
        for number, partition in enumerate(partitions):
            # Until one has responded, the endpoint of the others is unknown.
            group = partitions[number : number + 1 + self._lookahead * bool(kept)]
            rows, fields, *lookahead = [
                self._probe(name, ((endpoint, each) for endpoint in endpoints))
                for each in group
                for name, endpoints in ((stream, customers), ("custom_fields", definitions))
            ]
            try:
                response = _response(stream, partition, self._result(rows, [fields, *lookahead]))
            except (ForbiddenError, NotFoundError) as error:
                if partition.named_by:
                    raise
                self._logger.warning("%s is skipped. %s", partition.name, error)
                continue
            kept.append(self._resource(partition, response, self._result(fields, lookahead)))
            customers = (kept[0].endpoint,)
        if not kept:
            self._logger.info("Nothing to read for stream '%s'; it is skipped", stream)
            return None
        self._logger.info("Stream '%s' is read from %s", stream, kept[0].endpoint.path)
        return Resource.joined(kept)

    def _resource(
        self, partition: Partition, response: tuple[Endpoint, Page], definitions: ProbeResult
    ) -> Resource:
        """Make the resource of one partition, with the custom fields that it defines."""
        endpoint, page = response
        count = len(page.rows) if page.count is None else page.count
        self._logger.info("%s has %d customers (endpoint %s)", partition.name, count, endpoint.row)
        resource = Resource((partition,), endpoint, _keys_of(page), page.is_list)
        if definitions.response is None:
            self._logger.info(
                "%s shows no definitions of custom fields; they are read as text", partition.name
            )
            return resource
        definition_endpoint, rows = definitions.response
        fields = read_definitions(partition.name, _objects(rows.raw_rows))
        return replace(
            resource, definitions={partition.name: definition_endpoint}, fields=tuple(fields)
        )

    def _events(
        self, events: Mapping[str, Sequence[Endpoint]], partitions: Sequence[Partition]
    ) -> Iterator[tuple[str, Resource | None]]:
        """Find each stream's endpoint: by campaign, by CRM, or of the whole account."""
        candidates = {
            stream: {at: fitting for at in endpoints if (fitting := _fitting(at, partitions))}
            for stream, endpoints in events.items()
        }
        probes = [
            self._probe(stream, ((at, each) for at in own for each in _newest_first(own[at])))
            for stream, own in candidates.items()
        ]
        for number, sent in enumerate(probes, start=1):
            result = self._result(sent, probes[number:])
            yield sent.stream, self._responding(sent.stream, candidates[sent.stream], result)

    def _responding(
        self, stream: str, candidates: Mapping[Endpoint, tuple[Partition, ...]], result: ProbeResult
    ) -> Resource | None:
        """Make the resource of the endpoint that responded; None if none did."""
        for refusal in result.refusals:
            self._logger.warning("%s", refusal)
        for endpoint, partitions in candidates.items():
            if result.response and result.response[0] is endpoint:
                self._logger.info("Stream '%s' is read from %s", stream, endpoint.path)
                page = result.response[1]
                return Resource(partitions, endpoint, _keys_of(page), page.is_list)
            if endpoint in result.forbidden:
                msg = "Stream '%s' is forbidden to the credential at %s"
                self._logger.warning(msg, stream, endpoint.path)
            else:
                self._logger.info("Stream '%s' was not found at %s", stream, endpoint.path)
        level = logging.WARNING if result.refusals else logging.INFO
        self._logger.log(level, "Nothing to read for stream '%s'; it is skipped", stream)
        return None

    @property
    def _lookahead(self) -> int:
        """Probes that may be made ahead now."""
        return 0 if self._client.is_throttled else self._pool.size

    def _probe(self, stream: str, places: Iterable[tuple[Endpoint, Partition]]) -> Probe:
        return Probe.of(stream, places, self._recent_days)

    def _result(self, candidates: Probe, lookahead: Iterable[Probe] = ()) -> ProbeResult:
        """Return the result of a probe, and start those expected next."""
        return self._probes.take(candidates, islice(lookahead, self._lookahead))


def _response(stream: str, partition: Partition, result: ProbeResult) -> tuple[Endpoint, Page]:
    """The endpoint that serves a partition, and its first page.

    Raises:
        ForbiddenError: If the credential may not see the partition.
        NotFoundError: If the account does not have the partition.
    """
    if result.refusals:
        raise result.refusals[0]
    if result.response is None:
        where = f" Check '{partition.named_by}' and 'api_url'." if partition.named_by else ""
        msg = f"{stream}: the account has no {partition.name} (HTTP 404).{where}"
        raise NotFoundError(msg)
    return result.response


def _fitting(endpoint: Endpoint, partitions: Iterable[Partition]) -> tuple[Partition, ...]:
    """The partitions whose ids are exactly those of the endpoint's path."""
    ids = endpoint.ids
    return tuple(partition for partition in partitions if partition.context.keys() == ids)


def _newest_first(partitions: Iterable[Partition]) -> list[Partition]:
    """Sort partitions so that running campaigns come first: they have the keys of today."""
    return sorted(
        partitions,
        key=lambda p: (p.ended is None, p.ended or date.min, p.context.get("campaign__id", 0)),
        reverse=True,
    )


def _keys_of(page: Page) -> tuple[str, ...]:
    return tuple(dict.fromkeys(key for row in _objects(page.raw_rows) for key in row))


def _objects(rows: Iterable[bytes]) -> Iterator[dict[str, t.Any]]:
    for row in rows:
        try:
            yield decode_row(row)
        except msgspec.ValidationError:
            continue
