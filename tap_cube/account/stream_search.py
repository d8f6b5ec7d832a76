"""Where every stream is that discovery does not find by itself: by campaign, by CRM, or at once."""

from __future__ import annotations

import logging
import typing as t
from datetime import date

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
        candidates: dict[str, dict[Endpoint, tuple[Partition, ...]]] = {}
        probes = []
        for stream, endpoints in streams.items():
            expected = self._memory.expected(stream, endpoints)
            own = {at: _fitting(at, partitions) for at in expected.endpoints}
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
                yield sent.stream, self._responding(sent.stream, candidates[sent.stream], result)

    def _responding(
        self, stream: str, candidates: Mapping[Endpoint, tuple[Partition, ...]], result: ProbeResult
    ) -> Resource | None:
        """Make the resource of the endpoint that responded; None if none did."""
        for refusal in result.refusals.values():
            self._logger.warning("%s", refusal)
        unread: list[str] = []
        for endpoint, partitions in candidates.items():
            if result.response and result.response[0] is endpoint:
                self._logger.info("Stream '%s' is read from %s", stream, endpoint.path)
                page = result.response[1]
                unread += [*self._unread.at(endpoint), *_elsewhere(result.refusals, partitions)]
                distinct = tuple(dict.fromkeys(unread))
                return Resource(partitions, endpoint, keys_of(page), page.is_list, distinct)
            if not partitions:
                # If discovery had seen more, the stream might be here, with other keys.
                unread += self._unread.at(endpoint)
            elif endpoint in result.forbidden:
                msg = "Stream '%s' is forbidden to the credential at %s"
                self._logger.warning(msg, stream, endpoint.path)
            else:
                self._logger.info("Stream '%s' was not found at %s", stream, endpoint.path)
        level = logging.WARNING if result.refusals else logging.INFO
        self._logger.log(level, "Nothing to read for stream '%s'; it is skipped", stream)
        return None


def _fitting(endpoint: Endpoint, partitions: Iterable[Partition]) -> tuple[Partition, ...]:
    """The partitions whose ids are exactly those of the endpoint's path."""
    ids = endpoint.ids
    return tuple(partition for partition in partitions if partition.context.keys() == ids)


def _elsewhere(names: Iterable[str], partitions: Iterable[Partition]) -> list[str]:
    """The names that none of these partitions has."""
    own = {partition.name for partition in partitions}
    return [name for name in names if name not in own]


def _newest_first(partitions: Iterable[Partition]) -> list[Partition]:
    """Sort partitions so that running campaigns come first: they have the keys of today."""
    return sorted(
        partitions,
        key=lambda p: (p.ended is None, p.ended or date.min, p.context.get("campaign__id", 0)),
        reverse=True,
    )
