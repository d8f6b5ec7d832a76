"""The streams of an account that is made here, which need no request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from tap_cube.account import generations
from tap_cube.account.campaigns import read_campaigns
from tap_cube.account.model import Account, Definitions, Partition, Resource
from tap_cube.singer.stats import ListStats
from tap_cube.singer.stream import EncodedStream
from tap_cube.streams.registry import STREAMS
from tap_cube.tap import TapCube

if TYPE_CHECKING:
    from singer_sdk.streams import Stream

_CAMPAIGN = {
    **dict.fromkeys([*generations.CAMPAIGN_FIELDS, *generations.EARLIER_CAMPAIGN_FIELDS], ""),
    "campaign__id": 8,
    "campaign__crm_type": "B2B",
    "data_owner__id": 2,
    "assignment__id": 9,
}
_CRM, _ASSIGNMENT = Partition.of_crm(2, "B2B", None), Partition.of_assignment(9, None)


def made_streams(*, is_earlier: bool = False) -> dict[str, EncodedStream]:
    """Every stream of an account with one CRM that is an assignment too, by name.

    Args:
        is_earlier: Whether customers have the plain payload of 2017 and the one of 2016, and
            events the keys of earlier documents.
    """
    (campaign,) = read_campaigns([_CAMPAIGN])
    keys = tuple(generations.EARLIER_EVENT_FIELDS) if is_earlier else ()
    of_customers = {"assignment_customers": _ASSIGNMENT, "data_owner_customers": _CRM}
    account = Account(
        campaign_rows=[_CAMPAIGN],
        campaigns=[campaign],
        definitions=[
            Definitions(_CRM, generations.DATA_OWNER_DEFINITIONS[0], [], [], ListStats()),
            Definitions(_ASSIGNMENT, generations.ASSIGNMENT_DEFINITIONS[0], [], [], ListStats()),
        ],
        resources={
            spec.name: Resource(
                (of_customers.get(spec.name, Partition.of_campaign(campaign)),),
                spec.endpoints[-1 if is_earlier and spec.name in of_customers else 0],
                () if spec.name in of_customers else keys,
            )
            for spec in STREAMS
            if spec.endpoints
        },
        unread={spec.name: () for spec in STREAMS},
    )
    tap = _made_tap(account)
    return {name: each for name, each in tap.streams.items() if isinstance(each, EncodedStream)}


def _made_tap(account: Account) -> TapCube:
    class MadeTap(TapCube):
        @override
        def discover_streams(self) -> list[Stream]:
            streams: dict[str, Stream] = {}
            for spec in STREAMS:
                if stream := spec.type.of_account(self, spec, account, streams):
                    streams[spec.name] = stream
            return [*streams.values()]

    return MadeTap(config={"api_url": "https://account.example.com", "auth_token": "none"})
