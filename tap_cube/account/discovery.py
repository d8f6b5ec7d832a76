"""Discovery of an account: campaigns, assignments, CRMs, custom fields, and endpoints."""

from __future__ import annotations

import typing as t
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from types import MappingProxyType

from tap_cube.account import generations
from tap_cube.account.campaigns import read_campaigns, unreadable_ids
from tap_cube.account.crms import CrmSearch
from tap_cube.account.custom_fields import label_columns, readable_extra
from tap_cube.account.lists import CampaignRow, DefinitionRow, ListReader
from tap_cube.account.memory import Memory
from tap_cube.account.model import ACCOUNT, Account, Partition
from tap_cube.account.names import Naming
from tap_cube.account.probe import Prober
from tap_cube.account.selection import assignments_to_read, crms_to_read, is_wanted
from tap_cube.account.stream_search import StreamSearch
from tap_cube.account.unread import Unread
from tap_cube.errors import CubeError
from tap_cube.logs import listed
from tap_cube.paging.first_pages import FirstPages
from tap_cube.paging.windows import Window
from tap_cube.singer.stats import ListStats, Result

if t.TYPE_CHECKING:
    import logging
    from collections.abc import Mapping, Sequence

    from tap_cube.account.campaigns import Campaign
    from tap_cube.account.endpoint import Endpoint
    from tap_cube.http.client import CubeClient
    from tap_cube.http.prefetch import WorkerPool
    from tap_cube.records.rows import Row
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
        memory: What earlier runs found, which this one must find again.
        row_types: What streams decode of a row, by their names.
        kept: Keeps the first pages of these streams.
    """

    def __init__(  # noqa: PLR0913 - it joins all parts that read an account
        self,
        client: CubeClient,
        pool: WorkerPool,
        settings: Settings,
        logger: logging.Logger,
        memory: Memory | None = None,
        *,
        row_types: Mapping[str, type[Row]] = MappingProxyType({}),
        kept: FirstPages | None = None,
    ) -> None:
        self._settings = settings
        self._logger = logger
        self._memory = memory or Memory()
        today = datetime.now(settings.timezone).date()
        days = Window(today - _RECENT, today)
        self._prober = Prober(client, pool, days, row_types, kept or FirstPages())
        lists = partial(
            ListReader,
            client=client,
            pool=pool,
            logger=logger,
            may_be_incomplete=settings.on_incomplete_read == "warn",
        )
        self._campaign_lists = lists("campaigns", CampaignRow)
        definitions = lists("custom_fields", DefinitionRow)
        self._unread, self._campaign_stats = Unread(settings), ListStats()
        self._crms = CrmSearch(self._prober, definitions, self._memory, self._unread, logger)
        self._streams = StreamSearch(self._prober, self._memory, self._unread, logger)

    def account(self, others: Mapping[str, Sequence[Endpoint]]) -> Account:
        """Request campaigns, custom fields and first pages.

        Args:
            others: Endpoints of each other stream, by its name and in the order to try. The ids
                in their paths say whether campaigns, CRMs or assignments are their partitions.

        Raises:
            CubeError: If the credential is refused, the host cannot be reached, a partition that
                the settings name cannot be read, campaigns, customers or definitions that earlier
                runs read do not answer, or there is nothing to read.
        """
        rows = self._campaigns()
        campaigns = read_campaigns(rows or ())
        self._warn_of_missing(campaigns)
        assignments = self._crms.resource(
            "assignment_customers",
            assignments_to_read(self._settings, campaigns),
            generations.ASSIGNMENT_CUSTOMERS,
            generations.ASSIGNMENT_DEFINITIONS,
        )
        crms = self._crms.resource(
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
            **dict(self._streams.resources(others, partitions)),
        }
        resources = {
            stream: resource.without(self._crms.skipped)
            for stream, resource in found.items()
            if resource
        }
        if rows is None and not resources and not self._crms.failures:
            msg = (
                "Nothing to read: the account lists no campaigns, so the tap cannot discover "
                "assignments and CRMs. Set 'assignment_ids' or 'data_owners', and check 'api_url'."
            )
            raise CubeError(msg)
        account = Account(
            rows,
            campaigns,
            self._crms.definitions,
            resources,
            naming=Naming(self._memory.names),
            campaign_stats=self._campaign_stats,
            failures=[*self._crms.failures.values(), *self._streams.failures],
            unread={name: self._unread.of(name) for name in ("campaigns", "custom_fields")},
        )
        if types := sorted({field.type_name for field in account.fields if not field.is_known}):
            self._logger.info("Custom fields of unknown types are read as text: %s", listed(types))
        if self._settings.label_names:
            naming = Naming(self._memory.names, readable_extra)
            return replace(account, label_names=label_columns(account.fields), naming=naming)
        return account

    def _campaigns(self) -> list[dict[str, t.Any]] | None:
        """Rows of the campaigns; None if the account does not list them."""
        expected = self._memory.expected_campaigns(self._settings)
        places = [(endpoint, ACCOUNT) for endpoint in expected.endpoints]
        decode = self._campaign_lists.decode
        result = self._prober.result(self._prober.of("campaigns", places, expected, decode))
        if result.response:
            endpoint, page = result.response
            rows, stats = self._campaign_lists.rows(ACCOUNT.name, endpoint.path, page)
            self._campaign_stats = stats
            self._note_unread(rows, is_complete=stats.result is Result.COMPLETE)
            return rows
        # In a later run there are none: if an earlier one had found campaigns, this would fail.
        if not self._memory.endpoints:
            self._unread.add_campaigns("the list of campaigns")
        for refusal in result.refusals.values():
            self._logger.warning("%s", refusal)
        if not result.refusals:
            self._logger.info("The account lists no campaigns; stream 'campaigns' is skipped")
        return None

    def _note_unread(self, rows: Sequence[Mapping[str, t.Any]], *, is_complete: bool) -> None:
        """Note what a list of campaigns may lack."""
        if not rows:
            self._unread.add_campaigns("campaigns (their list is empty)")
        elif not is_complete:
            self._unread.add_campaigns("campaigns (their list may be incomplete)")
        for name in unreadable_ids(rows):
            self._unread.add_campaigns(f"campaigns whose {name} is not a whole number", name)

    def _warn_of_missing(self, campaigns: Sequence[Campaign]) -> None:
        """Warn once of what earlier runs read and the account no longer shows.

        Partitions that the settings name are not compared: the user knows of their change.
        """
        shown = [Partition.of_campaign(campaign).name for campaign in campaigns]
        kinds: list[set[str]] = [{"campaign__id"}]
        if self._settings.assignment_ids is None:
            kinds.append({"assignment_id"})
        if self._settings.crms is None:
            kinds.append({"data_owner_id", "crm_type"})
        shown += [name for campaign in campaigns for name in campaign.defined_by]
        if missing := self._memory.missing(shown, kinds):
            msg = (
                "The account no longer shows %d partitions that earlier runs read: %s. "
                "Their rows stay in the target as they are."
            )
            self._logger.warning(msg, len(missing), listed(missing))
