"""Which assignments and CRMs answer, where their customers are, and their custom fields."""

from __future__ import annotations

import typing as t

from tap_cube.account.custom_fields import read_definitions
from tap_cube.account.model import Definitions, Resource
from tap_cube.account.probe import PROBES
from tap_cube.errors import CubeError, ForbiddenError, NotFoundError, RunError
from tap_cube.paging.first_pages import keys_of
from tap_cube.singer.stats import Result

if t.TYPE_CHECKING:
    import logging
    from collections.abc import Iterable, Sequence

    from tap_cube.account.endpoint import Endpoint
    from tap_cube.account.lists import ListReader
    from tap_cube.account.memory import Expected, Memory
    from tap_cube.account.model import Partition
    from tap_cube.account.probe import Probe, Prober, ProbeResult
    from tap_cube.account.unread import Unread
    from tap_cube.records.page import Page


class CrmSearch:
    """Finds the partitions of customers.

    Args:
        prober: Sends the probes.
        lists: Reads definitions to their end.
        memory: What earlier runs found.
        unread: What this run does not read; this class adds to it.
        logger: Logs what was found and what is skipped.

    Attributes:
        definitions: The definitions found so far.
        failures: A sentence for each partition that neither answers nor refuses, by its name.
        skipped: Partitions whose customers this run does not read.
    """

    def __init__(
        self,
        prober: Prober,
        lists: ListReader,
        memory: Memory,
        unread: Unread,
        logger: logging.Logger,
    ) -> None:
        self._prober = prober
        self._lists = lists
        self._memory = memory
        self._unread = unread
        self._logger = logger
        self.definitions: list[Definitions] = []
        self.failures: dict[str, str] = {}
        self.skipped: list[Partition] = []

    def resource(
        self,
        stream: str,
        partitions: Sequence[Partition],
        customers: Sequence[Endpoint],
        definitions: Sequence[Endpoint],
    ) -> Resource | None:
        """Find the partitions that respond, and the endpoints of customers and definitions.

        Args:
            stream: Name of the stream of customers.
            partitions: Assignments or CRMs.
            customers: Endpoints of customers, in the order to try.
            definitions: Endpoints of definitions, in the order to try.

        Raises:
            CubeError: If the settings name a partition that is not there, if what earlier runs
                read answers no more, or if `PROBES` partitions fail and none answers.
        """
        expected = self._memory.expected(stream, customers)
        endpoints = expected.endpoints
        kept: list[Resource] = []
        for number, partition in enumerate(partitions):
            # Until one has responded, the endpoint of the others may be unknown.
            ahead = self._prober.lookahead if len(endpoints) == 1 else 0
            own, defined, *others = [
                probe
                for each in partitions[number : number + 1 + ahead]
                for probe in (
                    self._prober.of(stream, [(at, each) for at in endpoints]),
                    self._of_definitions(each, definitions),
                )
            ]
            try:
                result = self._prober.result(own, [defined, *others])
                resource = self._answering(stream, partition, result)
            except CubeError as error:
                self._fail(partition, error, has_others=bool(kept))
                resource = None
            if resource:
                kept.append(resource)
                endpoints = (resource.endpoint,)
            # Other streams need the types of a CRM whose customers are not to be had for a night.
            if resource or defined.must_answer or partition.name in self.failures:
                self._define(partition, self._prober.result(defined, others))
        if not kept and partitions and expected.must_answer and not self.failures:
            kept.append(self._asked_again(stream, partitions[0], expected))
        self._note_unread(stream, partitions, kept)
        if not kept:
            self._logger.info("Nothing to read for stream '%s'; it is skipped", stream)
            return None
        self._logger.info("Stream '%s' is read from %s", stream, kept[0].endpoint.path)
        return Resource.joined(kept, self._unread.of(stream))

    def _note_unread(
        self, stream: str, partitions: Iterable[Partition], kept: Iterable[Resource]
    ) -> None:
        """Note the partitions whose customers or definitions this run does not read."""
        read = {partition.name for part in kept for partition in part.partitions}
        defined = {found.partition.name for found in self.definitions if found.rows}
        for partition in partitions:
            if partition.name not in read:
                self._unread.add(stream, partition.name)
                self.skipped.append(partition)
            # Of other partitions no definitions can be in the target: a later run fails unless it
            # finds again what earlier ones found.
            if partition.name not in defined and not self._memory.endpoints:
                self._unread.add("custom_fields", partition.name)

    def _of_definitions(self, partition: Partition, endpoints: Sequence[Endpoint]) -> Probe:
        expected = self._memory.expected_definitions(partition.name, endpoints)
        places = [(at, partition) for at in expected.endpoints]
        return self._prober.of("custom_fields", places, expected, self._lists.decode)

    def _asked_again(self, stream: str, partition: Partition, expected: Expected) -> Resource:
        """Request the first partition with all retries, after none has answered."""
        places = [(at, partition) for at in expected.endpoints]
        result = self._prober.result(self._prober.of(stream, places, expected))
        return self._resource(partition, *_response(stream, partition, result))

    def _answering(self, stream: str, partition: Partition, result: ProbeResult) -> Resource | None:
        """The resource of one partition; None, with a warning, if it does not answer."""
        try:
            return self._resource(partition, *_response(stream, partition, result))
        except (ForbiddenError, NotFoundError) as error:
            if partition.named_by:
                raise
            self._logger.warning("%s is skipped. %s", partition.name, error)
            return None

    def _fail(self, partition: Partition, error: CubeError, *, has_others: bool) -> None:
        """Remember a partition that fails; the run goes on, and the other ones are read."""
        is_final = isinstance(error, RunError | ForbiddenError | NotFoundError)
        if is_final or (not has_others and len(self.failures) + 1 == PROBES):
            raise error
        self.failures[partition.name] = str(error)
        self._logger.warning("%s The run goes on, and will end with an error.", error)

    def _resource(self, partition: Partition, endpoint: Endpoint, page: Page) -> Resource:
        count = len(page.rows) if page.count is None else page.count
        self._logger.info("%s has %d customers (endpoint %s)", partition.name, count, endpoint.row)
        return Resource((partition,), endpoint, keys_of(page), page.is_list)

    def _define(self, partition: Partition, result: ProbeResult) -> None:
        """Keep the definitions of one partition, if it shows them."""
        if result.response is None:
            self._logger.info(
                "%s shows no definitions of custom fields; they are read as text", partition.name
            )
            return
        endpoint, page = result.response
        target = endpoint.target(partition.context)
        rows, stats = self._lists.rows(partition.name, target, page)
        if stats.result is not Result.COMPLETE:
            self._unread.add("custom_fields", partition.name)
        fields = read_definitions(partition.name, rows)
        self.definitions.append(Definitions(partition, endpoint, rows, fields, stats))


def _response(stream: str, partition: Partition, result: ProbeResult) -> tuple[Endpoint, Page]:
    """The endpoint that serves a partition, and its first page.

    Raises:
        ForbiddenError: If the credential may not see the partition.
        NotFoundError: If the account does not have the partition.
    """
    if result.refusals and not result.response:
        raise next(iter(result.refusals.values()))
    if result.response is None:
        where = f" Check '{partition.named_by}' and 'api_url'." if partition.named_by else ""
        msg = f"{stream}: the account has no {partition.name} (HTTP 404).{where}"
        raise NotFoundError(msg)
    return result.response
