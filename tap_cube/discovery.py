"""What there is to read in an account: campaigns, assignments, CRMs, and their custom fields."""

from __future__ import annotations

import logging
import typing as t
from datetime import date, datetime, timedelta
from functools import partial
from itertools import islice

import msgspec

from tap_cube import generations
from tap_cube.custom_fields import CustomField, read_definitions
from tap_cube.errors import CubeError, ForbiddenError, NotFoundError
from tap_cube.prefetch import Prefetcher
from tap_cube.rows import decode_row
from tap_cube.searches import Probe, probe
from tap_cube.selection import assignments_to_read, crms_to_read, is_wanted
from tap_cube.sources import ACCOUNT, Account, Campaign, Source, Subjects, read_campaigns
from tap_cube.windows import Window

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tap_cube.client import CubeClient
    from tap_cube.generations import Endpoint
    from tap_cube.pages import Page
    from tap_cube.prefetch import WorkerPool
    from tap_cube.searches import ProbeResult
    from tap_cube.settings import Settings

_LATELY = timedelta(days=30)

_EVENTS = {
    "callflow_customers": generations.CALLFLOW_CUSTOMERS,
    "call_outcomes": generations.CALL_OUTCOMES,
    "product_registrations": generations.PRODUCT_REGISTRATIONS,
}


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

    def account(self) -> Account:
        """Ask for campaigns, custom fields and first pages.

        Raises:
            CubeError: If the credential is refused, the host cannot be reached, a source that
                the settings name cannot be read, or nothing is left to read.
        """
        rows = self._campaigns()
        campaigns = read_campaigns(rows or ())
        assignments = self._subjects(
            "assignment_customers",
            assignments_to_read(self._settings, campaigns),
            generations.ASSIGNMENT_CUSTOMERS,
            generations.ASSIGNMENT_DEFINITIONS,
        )
        crms = self._subjects(
            "data_owner_customers",
            crms_to_read(self._settings, campaigns),
            generations.DATA_OWNER_CUSTOMERS,
            generations.DATA_OWNER_DEFINITIONS,
        )
        wanted = [c for c in campaigns if is_wanted(self._settings, c)]
        events = [*self._events(wanted, crms.sources)]
        if rows is None and not any(found.sources for found in (assignments, crms, *events)):
            msg = (
                "Nothing to read: the account lists no campaigns, so its assignments and CRMs "
                "must be named. Give 'assignment_ids' or 'data_owners', and check 'api_url'."
            )
            raise CubeError(msg)
        keys = None if rows is None else frozenset(k for row in rows for k in row)
        return Account(keys, tuple(campaigns), assignments, crms, *events)

    @property
    def _lookahead(self) -> int:
        """How many probes may be made ahead at this moment."""
        return 0 if self._client.is_calming else self._workers.size

    def _probe(self, stream: str, places: Iterable[tuple[Endpoint, Source]]) -> Probe:
        return Probe.of(stream, places, self._lately)

    def _result(self, asked: Probe, then: Iterable[Probe] = ()) -> ProbeResult:
        """The result of a probe, while the first of those that are needed next are begun."""
        return self._ahead.take(asked, islice(then, self._lookahead))

    def _campaigns(self) -> list[dict[str, t.Any]] | None:
        asked = self._probe("campaigns", ((e, ACCOUNT) for e in generations.CAMPAIGNS))
        found = self._result(asked)
        if found.refusals:
            self._logger.warning("%s", found.refusals[0])
            return None
        if found.answer is None:
            self._logger.info("The account lists no campaigns; stream 'campaigns' is left out")
            return None
        return list(_objects(found.answer[1].rows))

    def _events(
        self, campaigns: Iterable[Campaign], crms: tuple[Source, ...]
    ) -> Iterator[Subjects]:
        """Find what the account answers at: by campaign, else by CRM, else all in one."""
        choices = (tuple(map(Source.of_campaign, campaigns)), crms, (ACCOUNT,))
        offered = {
            stream: {
                endpoint: sources
                for endpoint, sources in zip(endpoints, choices, strict=False)
                # What is asked for as a whole would bring more than the settings name.
                if sources and (not endpoint.is_account_wide or self._settings.crms is None)
            }
            for stream, endpoints in _EVENTS.items()
        }
        probes = [
            self._probe(stream, ((e, s) for e in own for s in _newest_first(own[e])))
            for stream, own in offered.items()
        ]
        for number, asked in enumerate(probes, start=1):
            found = self._result(asked, probes[number:])
            yield self._answering(asked.stream, offered[asked.stream], found)

    def _answering(
        self, stream: str, offered: Mapping[Endpoint, tuple[Source, ...]], found: ProbeResult
    ) -> Subjects:
        """The sources of the endpoint that was found, of those on offer."""
        for refusal in found.refusals:
            self._logger.warning("%s", refusal)
        for endpoint, sources in offered.items():
            if found.answer and found.answer[0] is endpoint:
                self._logger.info("Stream '%s' is read from %s", stream, endpoint.path)
                page = found.answer[1]
                return Subjects(sources, endpoint, _keys_of(page), page.is_list)
            if endpoint in found.forbidden:
                msg = "Stream '%s' is forbidden to the credential at %s"
                self._logger.warning(msg, stream, endpoint.path)
            else:
                self._logger.info("Stream '%s' has no answer at %s", stream, endpoint.path)
        level = logging.WARNING if found.refusals else logging.INFO
        self._logger.log(level, "Nothing to read for stream '%s'; it is left out", stream)
        return Subjects()

    def _subjects(
        self,
        stream: str,
        sources: Sequence[Source],
        customers: tuple[Endpoint, ...],
        definitions: tuple[Endpoint, ...],
    ) -> Subjects:
        """Keep the sources that answer; find where customers and definitions are."""
        kept: list[Source] = []
        fields: list[CustomField] = []
        keys: dict[str, None] = {}
        defined: dict[str, Endpoint] = {}
        is_list = False
        for number, source in enumerate(sources):
            # Only once one has answered is it known where the others will.
            group = sources[number : number + 1 + self._lookahead * bool(kept)]
            rows, own, *others = [
                self._probe(name, ((endpoint, each) for endpoint in endpoints))
                for each in group
                for name, endpoints in ((stream, customers), ("custom_fields", definitions))
            ]
            try:
                endpoint, first = self._customers(
                    stream, source, self._result(rows, [own, *others])
                )
                described = self._definitions(source, self._result(own, others))
            except (ForbiddenError, NotFoundError) as error:
                if source.setting:
                    raise
                self._logger.warning("%s is left out. %s", source.name, error)
                continue
            kept.append(source)
            customers = (endpoint,)
            is_list |= first.is_list
            count = len(first.heads) if first.count is None else first.count
            self._logger.info("%s answers: %d customers at %s", source.name, count, endpoint.row)
            keys |= dict.fromkeys(_keys_of(first))
            if described is not None:
                defined[source.name] = described[0]
                fields += described[1]
        if not kept:
            self._logger.info("Nothing to read for stream '%s'; it is left out", stream)
            return Subjects()
        endpoint = customers[0]
        self._logger.info("Stream '%s' is read from %s", stream, endpoint.path)
        return Subjects(tuple(kept), endpoint, tuple(keys), is_list, defined, tuple(fields))

    def _customers(self, stream: str, source: Source, found: ProbeResult) -> tuple[Endpoint, Page]:
        if found.refusals:
            raise found.refusals[0]
        if found.answer is None:
            where = f" Check '{source.setting}' and 'api_url'." if source.setting else ""
            msg = f"{stream}: the account has no {source.name} (HTTP 404).{where}"
            raise NotFoundError(msg)
        return found.answer

    def _definitions(
        self, source: Source, found: ProbeResult
    ) -> tuple[Endpoint, list[CustomField]] | None:
        if found.answer is None:
            self._logger.info(
                "%s shows no definitions of custom fields; they are read as text", source.name
            )
            return None
        endpoint, page = found.answer
        return endpoint, read_definitions(source.name, _objects(page.rows))


def _newest_first(sources: Iterable[Source]) -> list[Source]:
    """Sources in the order to ask them: campaigns that still run have the keys of today."""
    return sorted(
        sources,
        key=lambda s: (s.ended is None, s.ended or date.min, s.context.get("campaign__id", 0)),
        reverse=True,
    )


def _keys_of(page: Page) -> tuple[str, ...]:
    return tuple(dict.fromkeys(key for row in _objects(page.rows) for key in row))


def _objects(rows: Iterable[bytes]) -> Iterator[dict[str, t.Any]]:
    for row in rows:
        try:
            yield decode_row(row)
        except msgspec.ValidationError:
            continue
