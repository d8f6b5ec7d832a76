"""What there is to read in an account: campaigns, assignments, CRMs, and their custom fields."""

from __future__ import annotations

import typing as t
from datetime import datetime, timedelta

import msgspec

from tap_cube import generations
from tap_cube.campaigns import Campaign, read_campaigns
from tap_cube.client import Subject
from tap_cube.custom_fields import CustomField, read_definitions
from tap_cube.errors import CubeError, ForbiddenError, NotFoundError
from tap_cube.pages import Page, decode_page
from tap_cube.rows import decode_row
from tap_cube.sources import ACCOUNT, Account, Source, Subjects
from tap_cube.windows import Window

if t.TYPE_CHECKING:
    import logging
    from collections.abc import Iterable, Iterator, Mapping

    from tap_cube.client import CubeClient
    from tap_cube.generations import Endpoint
    from tap_cube.settings import Settings


_EVENTS = {
    "callflow_customers": generations.CALLFLOW_CUSTOMERS,
    "call_outcomes": generations.CALL_OUTCOMES,
    "product_registrations": generations.PRODUCT_REGISTRATIONS,
}

PROBES = 3
"""Campaigns or CRMs to ask before an address counts as one that the account does not have."""

_LATELY = timedelta(days=30)


class Discovery:
    """Asks an account what it has.

    Args:
        client: The account.
        settings: What the user wants to read of it.
        logger: Where it is told what was found and what is left out.
    """

    def __init__(self, client: CubeClient, settings: Settings, logger: logging.Logger) -> None:
        """Ask nothing yet."""
        self._client = client
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
            self._assignments(campaigns),
            generations.ASSIGNMENT_CUSTOMERS,
            generations.ASSIGNMENT_DEFINITIONS,
        )
        crms = self._subjects(
            "data_owner_customers",
            self._crms(campaigns),
            generations.DATA_OWNER_CUSTOMERS,
            generations.DATA_OWNER_DEFINITIONS,
        )
        wanted = [campaign for campaign in campaigns if self._is_wanted(campaign)]
        events = [
            self._events(stream, endpoints, wanted, crms.sources)
            for stream, endpoints in _EVENTS.items()
        ]
        if rows is None and not any(found.sources for found in (assignments, crms, *events)):
            msg = (
                "Nothing to read: the account lists no campaigns, so its assignments and CRMs "
                "must be named. Give 'assignment_ids' or 'data_owners', and check 'api_url'."
            )
            raise CubeError(msg)
        keys = None if rows is None else frozenset(k for row in rows for k in row)
        return Account(keys, tuple(campaigns), assignments, crms, *events)

    def _campaigns(self) -> list[dict[str, t.Any]] | None:
        try:
            found = self._first_answer("campaigns", {}, "", generations.CAMPAIGNS)
        except ForbiddenError as error:
            self._logger.warning("%s", error)
            return None
        if found is None:
            self._logger.info("The account lists no campaigns; stream 'campaigns' is left out")
            return None
        return list(_objects(found[1].rows))

    def _is_wanted(self, campaign: Campaign) -> bool:
        """Whether the settings, where they name anything, name what a campaign belongs to.

        An empty list leaves out one kind of customers; campaigns belong to the other as well.
        """
        crms, assignments = self._settings.crms, self._settings.assignment_ids
        if not crms and not assignments:
            return crms is None or assignments is None
        kinds = (campaign.crm, crms), (campaign.assignment_id, assignments)
        known = [own in named for own, named in kinds if named and own is not None]
        return any(known) or not known

    def _assignments(self, campaigns: Iterable[Campaign]) -> Iterator[Source]:
        named = self._settings.assignment_ids
        seen = {c.assignment_id for c in campaigns if c.assignment_id is not None}
        for number in sorted(seen if named is None else named):
            yield Source.of_assignment(number, None if named is None else "assignment_ids")

    def _crms(self, campaigns: Iterable[Campaign]) -> Iterator[Source]:
        named = self._settings.crms
        seen = {campaign.crm for campaign in campaigns if campaign.crm}
        for owner, crm_type in sorted(seen if named is None else named):
            yield Source.of_crm(owner, crm_type, None if named is None else "data_owners")

    def _events(
        self,
        stream: str,
        endpoints: tuple[Endpoint, ...],
        campaigns: Iterable[Campaign],
        crms: tuple[Source, ...],
    ) -> Subjects:
        """Find what the account answers at: by campaign, else by CRM, else all in one."""
        # Those that still run have the keys of today.
        latest = sorted(campaigns, key=lambda c: (c.archived is None, c.archived or 0, c.id))
        of_campaigns = tuple(Source.of_campaign(campaign) for campaign in campaigns)
        choices = (tuple(Source.of_campaign(c) for c in latest[::-1]), crms, (ACCOUNT,))
        for endpoint, sources in zip(endpoints, choices, strict=False):
            # What is asked for as a whole would bring more than the settings name.
            if endpoint.row == "C7" and self._settings.crms is not None:
                continue
            for source in sources[:PROBES]:
                try:
                    found = self._first_answer(stream, source.context, source.name, (endpoint,))
                except ForbiddenError as error:
                    self._logger.warning("%s", error)
                    continue
                if found is None:
                    continue
                self._logger.info("Stream '%s' is read from %s", stream, endpoint.path)
                keys = dict.fromkeys(key for row in _objects(found[1].rows) for key in row)
                kept = of_campaigns if "campaign__id" in source.context else sources
                return Subjects(kept, endpoint, tuple(keys), found[1].is_list)
            if sources:
                self._logger.info("Stream '%s' has no answer at %s", stream, endpoint.path)
        self._logger.info("Nothing to read for stream '%s'; it is left out", stream)
        return Subjects()

    def _subjects(
        self,
        stream: str,
        sources: Iterable[Source],
        customers: tuple[Endpoint, ...],
        definitions: tuple[Endpoint, ...],
    ) -> Subjects:
        """Keep the sources that answer; find where customers and definitions are."""
        kept: list[Source] = []
        fields: list[CustomField] = []
        keys: dict[str, None] = {}
        defined: dict[str, Endpoint] = {}
        endpoint: Endpoint | None = None
        is_list = False
        for source in sources:
            try:
                found, first = self._customers(
                    stream, source, (endpoint,) if endpoint else customers
                )
                own = self._definitions(source, definitions)
            except (ForbiddenError, NotFoundError) as error:
                if source.setting:
                    raise
                self._logger.warning("%s is left out. %s", source.name, error)
                continue
            kept.append(source)
            endpoint = found
            is_list |= first.is_list
            count = len(first.heads) if first.count is None else first.count
            self._logger.info("%s answers: %d customers at %s", source.name, count, found.row)
            keys |= dict.fromkeys(key for row in _objects(first.rows) for key in row)
            if own is not None:
                defined[source.name] = own[0]
                fields += own[1]
        if endpoint is None:
            self._logger.info("Nothing to read for stream '%s'; it is left out", stream)
            return Subjects()
        self._logger.info("Stream '%s' is read from %s", stream, endpoint.path)
        return Subjects(tuple(kept), endpoint, tuple(keys), is_list, defined, tuple(fields))

    def _definitions(
        self, source: Source, endpoints: tuple[Endpoint, ...]
    ) -> tuple[Endpoint, list[CustomField]] | None:
        try:
            found = self._first_answer("custom_fields", source.context, source.name, endpoints)
        except ForbiddenError:
            found = None
        if found is None:
            self._logger.info(
                "%s shows no definitions of custom fields; they are read as text", source.name
            )
            return None
        return found[0], read_definitions(source.name, _objects(found[1].rows))

    def _customers(
        self, stream: str, source: Source, endpoints: tuple[Endpoint, ...]
    ) -> tuple[Endpoint, Page]:
        found = self._first_answer(stream, source.context, source.name, endpoints)
        if found is None:
            where = f" Check '{source.setting}' and 'api_url'." if source.setting else ""
            msg = f"{stream}: the account has no {source.name} (HTTP 404).{where}"
            raise NotFoundError(msg)
        return found

    def _first_answer(
        self,
        stream: str,
        context: Mapping[str, t.Any],
        name: str,
        endpoints: Iterable[Endpoint],
    ) -> tuple[Endpoint, Page] | None:
        """First page of the first endpoint that the account has; None if it has none of them."""
        today = datetime.now(self._settings.timezone).date()
        lately = Window(today - _LATELY, today)
        for endpoint in endpoints:
            target = endpoint.target(context, lately)
            try:
                page = self._client.get(target, Subject(stream, name), decode_page)
            except NotFoundError:
                continue
            return endpoint, page
        return None


def _objects(rows: Iterable[bytes]) -> Iterator[dict[str, t.Any]]:
    for row in rows:
        try:
            yield decode_row(row)
        except msgspec.ValidationError:
            continue
