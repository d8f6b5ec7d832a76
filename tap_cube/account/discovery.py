"""What there is to read in an account: campaigns, assignments, CRMs, and their custom fields."""

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

_LATELY = timedelta(days=30)


class Discovery:
    """Asks an account what it has.

    Args:
        client: The account.
        workers: Who asks for what will be needed next.
        settings: What the user wants to read of it.
        logger: Where it is told what was found and what is left out.
    """

    def __init__(
        self, client: CubeClient, workers: WorkerPool, settings: Settings, logger: logging.Logger
    ) -> None:
        """Ask nothing yet."""
        self._client = client
        self._workers = workers
        self._ahead = Prefetcher(partial(probe, client), workers)
        today = datetime.now(settings.timezone).date()
        self._lately = Window(today - _LATELY, today)
        self._settings = settings
        self._logger = logger

    def account(self, events: Mapping[str, Sequence[Endpoint]]) -> Account:
        """Ask for campaigns, custom fields and first pages.

        Args:
            events: Where rows about customers in campaigns may be, by the stream's name: its
                endpoints in the order to try.

        Raises:
            CubeError: If the credential is refused, the host cannot be reached, a partition that
                the settings name cannot be read, or nothing is left to read.
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
        partitions += crms.partitions if crms else ()
        # The account as a whole would bring more than the CRMs that the settings name.
        if self._settings.crms is None:
            partitions.append(ACCOUNT)
        found = {
            "assignment_customers": assignments,
            "data_owner_customers": crms,
            **dict(self._events(events, partitions)),
        }
        resources = {stream: subjects for stream, subjects in found.items() if subjects}
        if rows is None and not resources:
            msg = (
                "Nothing to read: the account lists no campaigns, so its assignments and CRMs "
                "must be named. Give 'assignment_ids' or 'data_owners', and check 'api_url'."
            )
            raise CubeError(msg)
        keys = None if rows is None else frozenset(k for row in rows for k in row)
        fields = [field for found in resources.values() for field in found.fields]
        for name in sorted({field.type_name for field in fields if not field.is_known}):
            self._logger.info("Custom fields of type '%s' are read as text: type not known", name)
        label_names = label_columns(fields) if self._settings.label_names else {}
        return Account(keys, tuple(campaigns), resources, label_names)

    def _campaigns(self) -> list[dict[str, t.Any]] | None:
        """Rows of campaigns; None if the account lists none."""
        asked = self._probe("campaigns", ((e, ACCOUNT) for e in generations.CAMPAIGNS))
        result = self._result(asked)
        if result.refusals:
            self._logger.warning("%s", result.refusals[0])
            return None
        if result.answer is None:
            self._logger.info("The account lists no campaigns; stream 'campaigns' is skipped")
            return None
        return list(_objects(result.answer[1].raw_rows))

    def _customers(
        self,
        stream: str,
        partitions: Sequence[Partition],
        customers: tuple[Endpoint, ...],
        definitions: tuple[Endpoint, ...],
    ) -> Resource | None:
        """Keep the partitions that answer; find where their customers and definitions are."""
        kept: list[Resource] = []
        for number, partition in enumerate(partitions):
            # Only once one has answered is it known where the others will.
            group = partitions[number : number + 1 + self._lookahead * bool(kept)]
            rows, fields, *ahead = [
                self._probe(name, ((endpoint, each) for endpoint in endpoints))
                for each in group
                for name, endpoints in ((stream, customers), ("custom_fields", definitions))
            ]
            try:
                answer = _answer(stream, partition, self._result(rows, [fields, *ahead]))
            except (ForbiddenError, NotFoundError) as error:
                if partition.setting:
                    raise
                self._logger.warning("%s is skipped. %s", partition.name, error)
                continue
            kept.append(self._subjects(partition, answer, self._result(fields, ahead)))
            customers = (kept[0].endpoint,)
        if not kept:
            self._logger.info("Nothing to read for stream '%s'; it is skipped", stream)
            return None
        self._logger.info("Stream '%s' is read from %s", stream, kept[0].endpoint.path)
        return Resource.joined(kept)

    def _subjects(
        self, partition: Partition, answer: tuple[Endpoint, Page], definitions: ProbeResult
    ) -> Resource:
        """One partition, with the custom fields that it defines."""
        endpoint, page = answer
        count = len(page.rows) if page.count is None else page.count
        self._logger.info("%s answers: %d customers at %s", partition.name, count, endpoint.row)
        found = Resource((partition,), endpoint, _keys_of(page), page.is_list)
        if definitions.answer is None:
            self._logger.info(
                "%s shows no definitions of custom fields; they are read as text", partition.name
            )
            return found
        where, defined = definitions.answer
        fields = read_definitions(partition.name, _objects(defined.raw_rows))
        return replace(found, definitions={partition.name: where}, fields=tuple(fields))

    def _events(
        self, events: Mapping[str, Sequence[Endpoint]], partitions: Sequence[Partition]
    ) -> Iterator[tuple[str, Resource | None]]:
        """Find where each stream's rows are: by campaign, by CRM, or all in one."""
        offered = {
            stream: {at: fitting for at in endpoints if (fitting := _fitting(at, partitions))}
            for stream, endpoints in events.items()
        }
        probes = [
            self._probe(stream, ((at, s) for at in own for s in _newest_first(own[at])))
            for stream, own in offered.items()
        ]
        for number, asked in enumerate(probes, start=1):
            result = self._result(asked, probes[number:])
            yield asked.stream, self._answering(asked.stream, offered[asked.stream], result)

    def _answering(
        self, stream: str, offered: Mapping[Endpoint, tuple[Partition, ...]], result: ProbeResult
    ) -> Resource | None:
        """The partitions of the endpoint that answered, of those on offer."""
        for refusal in result.refusals:
            self._logger.warning("%s", refusal)
        for endpoint, partitions in offered.items():
            if result.answer and result.answer[0] is endpoint:
                self._logger.info("Stream '%s' is read from %s", stream, endpoint.path)
                page = result.answer[1]
                return Resource(partitions, endpoint, _keys_of(page), page.is_list)
            if endpoint in result.forbidden:
                msg = "Stream '%s' is forbidden to the credential at %s"
                self._logger.warning(msg, stream, endpoint.path)
            else:
                self._logger.info("Stream '%s' has no answer at %s", stream, endpoint.path)
        level = logging.WARNING if result.refusals else logging.INFO
        self._logger.log(level, "Nothing to read for stream '%s'; it is skipped", stream)
        return None

    @property
    def _lookahead(self) -> int:
        """How many probes may be made ahead at this moment."""
        return 0 if self._client.is_throttled else self._workers.size

    def _probe(self, stream: str, places: Iterable[tuple[Endpoint, Partition]]) -> Probe:
        return Probe.of(stream, places, self._lately)

    def _result(self, asked: Probe, then: Iterable[Probe] = ()) -> ProbeResult:
        """The result of a probe, while the first of those that are needed next are begun."""
        return self._ahead.take(asked, islice(then, self._lookahead))


def _answer(stream: str, partition: Partition, result: ProbeResult) -> tuple[Endpoint, Page]:
    """The endpoint where a partition answers, and its first page.

    Raises:
        ForbiddenError: If the credential may not see the partition.
        NotFoundError: If the account does not have it.
    """
    if result.refusals:
        raise result.refusals[0]
    if result.answer is None:
        where = f" Check '{partition.setting}' and 'api_url'." if partition.setting else ""
        msg = f"{stream}: the account has no {partition.name} (HTTP 404).{where}"
        raise NotFoundError(msg)
    return result.answer


def _fitting(endpoint: Endpoint, partitions: Iterable[Partition]) -> tuple[Partition, ...]:
    """The partitions that have the ids of an endpoint's path, and no others."""
    ids = endpoint.ids
    return tuple(partition for partition in partitions if partition.context.keys() == ids)


def _newest_first(partitions: Iterable[Partition]) -> list[Partition]:
    """Sources in the order to ask them: campaigns that still run have the keys of today."""
    return sorted(
        partitions,
        key=lambda s: (s.ended is None, s.ended or date.min, s.context.get("campaign__id", 0)),
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
