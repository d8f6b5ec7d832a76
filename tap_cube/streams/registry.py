"""The streams of the tap, in the order in which the documents list them."""

from __future__ import annotations

import typing as t

from tap_cube.account import generations as api
from tap_cube.streams.callflow import CallflowCustomersStream
from tap_cube.streams.campaigns import CampaignsStream
from tap_cube.streams.custom_fields import CustomFieldsStream
from tap_cube.streams.customers import CustomersStream
from tap_cube.streams.details import CustomerDetailsStream
from tap_cube.streams.events import EventsStream
from tap_cube.streams.run_log import RunLogStream
from tap_cube.streams.spec import StreamSpec

RUN_LOG: t.Final = "run_log"
_OF_ASSIGNMENTS = ("assignment_id", "customer_id")
_OF_CRMS = ("data_owner_id", "crm_type", "customer_id")

STREAMS: t.Final = (
    StreamSpec(
        "campaigns",
        CampaignsStream,
        "a campaign, running or archived",
        api.CAMPAIGNS,
        ("campaign__id",),
    ),
    StreamSpec(
        "custom_fields",
        CustomFieldsStream,
        "a custom field of a CRM: its label and type",
        (*api.ASSIGNMENT_DEFINITIONS, *api.DATA_OWNER_DEFINITIONS),
        ("source", "id"),
    ),
    StreamSpec(
        "assignment_customers",
        CustomersStream,
        "a customer of an assignment",
        api.ASSIGNMENT_CUSTOMERS,
        _OF_ASSIGNMENTS,
    ),
    StreamSpec(
        "data_owner_customers",
        CustomersStream,
        "a customer of a data owner's CRM",
        api.DATA_OWNER_CUSTOMERS,
        _OF_CRMS,
    ),
    StreamSpec(
        "callflow_customers",
        CallflowCustomersStream,
        "a customer's place in the call flow of a campaign",
        api.CALLFLOW_CUSTOMERS,
        ("callflow_key",),
        api.CALLFLOW_FIELDS,
    ),
    StreamSpec(
        "call_outcomes",
        EventsStream,
        "the outcome of a call: sale, no answer, call back",
        api.CALL_OUTCOMES,
        ("call_outcome_key",),
        api.OUTCOME_FIELDS,
    ),
    StreamSpec(
        "product_registrations",
        EventsStream,
        "a product sold: price, agent, team",
        api.PRODUCT_REGISTRATIONS,
        ("product_registration_key",),
        api.REGISTRATION_FIELDS,
    ),
    StreamSpec(
        "assignment_customer_details",
        CustomerDetailsStream,
        "a customer, requested one by one",
        api.ASSIGNMENT_CUSTOMER,
        _OF_ASSIGNMENTS,
        parent="assignment_customers",
    ),
    StreamSpec(
        "data_owner_customer_details",
        CustomerDetailsStream,
        "a customer, requested one by one",
        api.DATA_OWNER_CUSTOMER,
        _OF_CRMS,
        parent="data_owner_customers",
    ),
    StreamSpec(
        RUN_LOG,
        RunLogStream,
        "a list that a run read: its counts, and whether it is complete",
        (),
        ("run_id", "stream", "source"),
    ),
)
"""Every stream; one with a parent stands after it, and the record of them all is the last."""
