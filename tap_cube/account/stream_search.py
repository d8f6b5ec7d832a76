"""Finds the endpoint of each stream that is read by campaign, by CRM, or for the whole account."""

from __future__ import annotations

import logging
import typing as t
from datetime import date
from itertools import takewhile

from tap_cube.account.model import Resource
from tap_cube.errors import CubeError, RunError
from tap_cube.paging.first_pages import keys_of

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tap_cube.account.endpoint import Endpoint
    from tap_cube.account.memory import Memory
    from tap_cube.account.model import Partition
    from tap_cube.account.probe import Prober, ProbeResult
    from tap_cube.account.unread import Unread

Candidates: t.TypeAlias = "Mapping[Endpoint, tuple[Partition, ...]]"
"""The endpoints where a stream may be, in the order to try, and the partitions to ask for."""


class StreamSearch:
    """Finds the endpoint of each stream, and the partitions that it serves.

    Args:
        prober: Sends the probes.
        memory: What earlier runs found.
        unread: What this run does not read.
        logger: Logs what was found and what is skipped.

    Attributes:
        failures: A sentence for each stream that earlier runs read and that does not answer.
    """

    def __init__(
        self, prober: Prober, memory: Memory, unread: Unread, logger: logging.Logger
    ) -> None:
        self._prober = prober
        self._memory = memory
        self._unread = unread
        self._logger = logger
        self.failures: list[str] = []

    def resources(
        self, streams: Mapping[str, Sequence[Endpoint]], partitions: Sequence[Partition]
    ) -> Iterator[tuple[str, Resource | None]]:
        """Yield the resource of each stream; None for one that no endpoint serves.

        Args:
            streams: Endpoints of each stream, by its name and in the order to try.
            partitions: Campaigns, assignments and CRMs, and the account, if it may be read at once.

        Raises:
            CubeError: If a stream fails that no earlier run read.
        """
        candidates: dict[str, Candidates] = {}
        probes = []
        for stream, endpoints in streams.items():
            expected = self._memory.expected(stream, endpoints)
            own: Candidates = {at: _fitting(at, partitions) for at in expected.endpoints}
            if not any(own.values()) and any(_fitting(at, partitions) for at in endpoints):
                msg = "Stream '%s' was read from %s, which has nothing of what the settings name"
                self._logger.warning(msg, stream, expected.endpoints[0].path)
            places = ((at, each) for at in own for each in _newest_first(own[at]))
            candidates[stream] = own
            probes.append(self._prober.of(stream, places, expected))
        for number, sent in enumerate(probes, start=1):
            try:
                result = self._prober.result(sent, probes[number:])
            except RunError:
                raise
            except CubeError as error:
                if not sent.must_answer:
                    raise
                # A later run: what it can read is worth reading.
                self.failures.append(str(error))
                self._logger.warning("%s The run goes on, and will end with an error.", error)
            else:
                own = candidates[sent.stream]
                yield sent.stream, self._responding(sent.stream, own, result, partitions)

    def _responding(
        self,
        stream: str,
        candidates: Candidates,
        result: ProbeResult,
        known: Iterable[Partition],
    ) -> Resource | None:
        """Make the resource of the endpoint that responded; None if none did."""
        for refusal in result.refusals.values():
            self._logger.warning("%s", refusal)
        for endpoint, partitions in candidates.items():
            if result.response and result.response[0] is endpoint:
                self._logger.info("Stream '%s' is read from %s", stream, endpoint.path)
                page = result.response[1]
                unread = self._unread_at(endpoint, candidates, result.refusals, known)
                return Resource(partitions, endpoint, keys_of(page), page.is_list, unread)
            if endpoint in result.forbidden:
                msg = "Stream '%s' is forbidden to the credential at %s"
                self._logger.warning(msg, stream, endpoint.path)
            elif partitions:
                self._logger.info("Stream '%s' was not found at %s", stream, endpoint.path)
        level = logging.WARNING if result.refusals else logging.INFO
        self._logger.log(level, "Nothing to read for stream '%s'; it is skipped", stream)
        return None

    def _unread_at(
        self,
        chosen: Endpoint,
        candidates: Candidates,
        refused: Iterable[str],
        known: Iterable[Partition],
    ) -> tuple[str, ...]:
        """What a stream may lack that is read from an endpoint.

        Args:
            chosen: The endpoint.
            candidates: Where the stream might be.
            refused: Names of partitions that the credential may not see, there or elsewhere.
            known: All partitions that discovery found.
        """
        before = takewhile(lambda endpoint: endpoint is not chosen, candidates)
        # If discovery had seen more, the stream might be at one of these, with other keys.
        unasked = [endpoint for endpoint in before if not candidates[endpoint]]
        unread = [name for at in (*unasked, chosen) for name in self._unread.at(at)]
        read = {partition.name for partition in candidates[chosen]}
        unread += [name for name in refused if name not in read]
        unread += _uncovered(chosen, candidates[chosen], known, {*unread})
        return tuple(dict.fromkeys(unread))


def _uncovered(
    endpoint: Endpoint, read: Iterable[Partition], known: Iterable[Partition], unread: set[str]
) -> list[str]:
    """Names of campaigns of none of the CRMs that are read by CRM, nor of one that is unread."""
    ids = sorted(endpoint.ids)
    covered = {tuple(partition.context[name] for name in ids) for partition in read}
    return [
        partition.name
        for partition in known
        if "campaign__id" in partition.context
        and tuple(partition.columns[name] for name in ids) not in covered
        and unread.isdisjoint(partition.defined_by)
    ]


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
