"""What there is to read in an account: campaigns, assignments, CRMs, and their custom fields."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

import msgspec

from tap_cube import generations
from tap_cube.client import Subject
from tap_cube.custom_fields import CustomField, read_definitions
from tap_cube.errors import CubeError, ForbiddenError, NotFoundError
from tap_cube.pagination import Page, decode_page
from tap_cube.rows import decode_row
from tap_cube.settings_schema import CRM_TYPES

if t.TYPE_CHECKING:
    import logging
    from collections.abc import Iterable, Iterator, Mapping

    from tap_cube.client import CubeClient
    from tap_cube.generations import Endpoint
    from tap_cube.settings import Settings


@dataclass(frozen=True, slots=True)
class Source:
    """An assignment or a CRM: what a customer belongs to.

    Attributes:
        context: Its ids, as they stand in paths and columns.
        name: ``assignments/9`` or ``data_owners/2/B2B``.
        setting: The setting that names it; None if it was discovered.
    """

    context: Mapping[str, t.Any]
    name: str
    setting: str | None


@dataclass(frozen=True, slots=True)
class Subjects:
    """All sources of one kind, and what they answer at.

    Attributes:
        sources: Those that answer.
        endpoint: Where their customers are; None where there are none.
        keys: Keys of the customers on first pages, in order.
        is_list: Whether customers come as a bare list, without pages.
        definitions: Where their custom fields are defined, by source.
        fields: Their custom fields.
    """

    sources: tuple[Source, ...] = ()
    endpoint: Endpoint | None = None
    keys: tuple[str, ...] = ()
    is_list: bool = False
    definitions: Mapping[str, Endpoint] = field(default_factory=dict)
    fields: tuple[CustomField, ...] = ()


@dataclass(frozen=True, slots=True)
class Account:
    """What discovery found.

    Attributes:
        campaign_keys: Keys of campaigns; None if the account lists no campaigns.
        assignments: The assignments to read.
        crms: The CRMs to read.
    """

    campaign_keys: frozenset[str] | None
    assignments: Subjects
    crms: Subjects


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
        campaigns = self._campaigns()
        assignments = self._subjects(
            "assignment_customers",
            self._assignments(campaigns or ()),
            generations.ASSIGNMENT_CUSTOMERS,
            generations.ASSIGNMENT_DEFINITIONS,
        )
        crms = self._subjects(
            "data_owner_customers",
            self._crms(campaigns or ()),
            generations.DATA_OWNER_CUSTOMERS,
            generations.DATA_OWNER_DEFINITIONS,
        )
        if campaigns is None and not assignments.sources and not crms.sources:
            msg = (
                "Nothing to read: the account lists no campaigns, so its assignments and CRMs "
                "must be named. Give 'assignment_ids' or 'data_owners', and check 'api_url'."
            )
            raise CubeError(msg)
        keys = None if campaigns is None else frozenset(k for row in campaigns for k in row)
        return Account(keys, assignments, crms)

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

    def _assignments(self, campaigns: Iterable[Mapping[str, t.Any]]) -> Iterator[Source]:
        named = self._settings.assignment_ids
        ids = {c.get("assignment__id") for c in campaigns} if named is None else named
        for number in sorted(i for i in ids if isinstance(i, int)):
            setting = None if named is None else "assignment_ids"
            yield Source({"assignment_id": number}, f"assignments/{number}", setting)

    def _crms(self, campaigns: Iterable[Mapping[str, t.Any]]) -> Iterator[Source]:
        named = self._settings.crms
        seen = (
            (c.get("data_owner__id"), c.get("campaign__crm_type") or c.get("crm_type__name"))
            for c in campaigns
        )
        for owner, crm_type in sorted(
            {(o, ct) for o, ct in seen if isinstance(o, int) and ct in CRM_TYPES}
            if named is None
            else named
        ):
            context = {"data_owner_id": owner, "crm_type": crm_type}
            setting = None if named is None else "data_owners"
            yield Source(context, f"data_owners/{owner}/{crm_type}", setting)

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
            count = len(first.rows) if first.count is None else first.count
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
        for endpoint in endpoints:
            target = endpoint.target(context)
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
