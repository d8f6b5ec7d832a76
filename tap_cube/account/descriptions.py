"""What the columns mean, in a sentence each: for the catalog, the data dictionary and dbt.

The meanings are those of Cube's documents (docs/api.md, section 3). Where these do not explain a
field, the sentence says what their examples show. Custom fields have the administrator's own hints.
"""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Mapping


def description_of(stream: str, column: str) -> str:
    """The meaning of a fixed column; empty if there is none.

    Args:
        stream: Name of the stream; its details have the same columns.
        column: Name of the column.
    """
    own = OF_STREAMS.get(stream.replace("_customer_details", "_customers"), {})
    return own.get(column) or DESCRIPTIONS.get(column, "")


def _of(prefix: str, meanings: Mapping[str, str]) -> dict[str, str]:
    return {prefix + name: meaning for name, meaning in meanings.items()}


_CUSTOMER_KEY = "Imported id of the customer, as text; without one, a key that the tap makes."

OF_STREAMS: Mapping[str, Mapping[str, str]] = {
    "assignment_customers": {"customer_id": _CUSTOMER_KEY},
    "data_owner_customers": {"customer_id": _CUSTOMER_KEY},
    "custom_fields": {"id": "Id of the custom field, unique within its CRM."},
    "run_log": {
        "source": "List that was read, such as data_owners/2/B2B or campaigns/8, or account."
    },
}
"""Columns that mean something else in one stream than in the others, by stream and name."""

DESCRIPTIONS: Mapping[str, str] = {
    # The tap's own columns.
    "source": "CRM or assignment of the field, such as data_owners/2/B2B or assignments/9.",
    "assignment_id": "Id of the assignment, which is the older name of a CRM.",
    "data_owner_id": "Id of the data owner, the organisation whose customers are called.",
    "crm_type": "Type of the CRM: B2B (companies) or B2C (people).",
    "customer_id": "Imported id of the customer, as text; null if the customer has none.",
    "updated": "Day on which the customer last changed.",
    "submitted_at": "When the outcome was submitted, in UTC: the most precise of Cube's times.",
    "callflow_key": "Key of the call state, made of campaign and customer.",
    "call_outcome_key": "Key of the outcome, made by the tap, since Cube shows no id.",
    "product_registration_key": "Key of the sale, made by the tap, since Cube shows no id.",
    "unparsed_values": (
        "JSON object of the values that do not fit their column's type, by column."
    ),
    # Customers, also in call states and events.
    "crm__customer_id": "Imported id of the customer, as Cube sends it; not Cube's own id.",
    **_of("crm__standard_info__", {
        "name": "Name of the customer; Anonymized if the customer was anonymised.",
        "phone_1": "First phone number of the customer, spelled as in Cube.",
        "phone_2": "Second phone number of the customer, spelled as in Cube.",
        "phone_3": "Third phone number of the customer, spelled as in Cube.",
        "email": "E-mail address of the customer.",
    }),
    **_of("crm__change_log__", {
        "updated": "Day on which the customer last changed; a call outcome does not count.",
        "updated_by": "Who last changed the customer: an e-mail address or a system's name.",
        "update_method": "How the customer last changed, such as Manual update or Import new.",
    }),
    # Call states.
    "callflow__attempts_status__attempts": "Number of attempts in the call flow.",
    "callflow__callstate__name": "Call state, such as Ready; each campaign has its own.",
    **_of("callflow__last_change__", {
        "user": "Who last changed the call state: an e-mail address, or a word such as manual.",
        "when": "When the call state last changed, in UTC, to the minute.",
        "cause": "Cause of the last change, such as Manually add or Segmentation.",
        "alternative": "Alternative of the last change, such as Segmentation; may be empty.",
        "comment": "Comment on the last change.",
    }),
    # Call outcomes and product registrations.
    "call_outcome__comment": "Comment on the outcome, in free text.",
    "call_outcome__type": "Type of the outcome, such as Sale, No answer or Call back later.",
    "call_outcome__subtype": "Subtype of the outcome, such as Ja - Salg; may equal the type.",
    **_of("call_outcome__report_as__", {
        "submitted_by": "Who submitted the outcome: an e-mail address.",
        "submitted_in_team": "Team in which the outcome was submitted.",
        "submitted_when": "When the outcome was submitted, in UTC, to the minute.",
        "submitted_when_timestamp": (
            "When the outcome was submitted, in UTC, to the millisecond; since May 2024."
        ),
    }),
    "segment__name": "Name of the segment, such as Default segment.",
    "product__code": "Code of the product.",
    "product__title": "Title of the product.",
    "product__price": "Price of the product; Cube does not say the currency.",
    # Campaigns.
    **_of("campaign__", {
        "id": "Id of the campaign.",
        "name": "Name of the campaign.",
        "start_date": "First day of the campaign; deprecated by Cube in 2022.",
        "end_date": "Last day of the campaign; deprecated by Cube in 2022.",
        "archived_date": "Day on which the campaign was archived.",
        "is_active": "Whether the campaign is active, even after its last day.",
        "crm_type": "Type of the campaign's CRM: B2B (companies) or B2C (people).",
    }),
    "service__id": "Id of the campaign's service.",
    "service__name": "Name of the campaign's service, such as Meetings or Product sales.",
    "data_owner__id": "Id of the data owner, the organisation whose customers are called.",
    "data_owner__name": "Name of the data owner, the organisation whose customers are called.",
    # Definitions of custom fields.
    "key": "Label of the custom field, as an administrator named it.",
    "type": "Type of the custom field as Cube names it, such as text.",
    "max_length": "Most characters of a value.",
    "hint": "Hint of the administrator about the custom field.",
    "lookup__id": "Key of the field's values in Cube's records, such as crm__custom_info__17.",
    "column_name": "Column of the customers' table that holds the field's values.",
    "readable_name": "Readable name, such as custom__antall_ar; the same for a label in all CRMs.",
    # The log of runs.
    "run_id": "Id of the run; it begins with the time in UTC, so that ids sort by time.",
    "stream": "Stream that was read, such as call_outcomes.",
    "endpoint": "Where it was read from: a row of docs/api.md, such as C2.",
    "counted": "Rows of the list by the server's count; null if it gives none.",
    "read": "Rows that were read.",
    "emitted": "Records that were emitted.",
    "unchanged": "Rows older than the bookmark, which were skipped.",
    "passes": "Passes over the list; 1 if its rows did not move meanwhile.",
    "requests": "Requests that were sent.",
    "retries": "Requests that were sent again after a failure.",
    "unparsed": "Values that did not fit their column's type.",
    "anonymised": "Rows without an id, which are those of anonymised customers.",
    "result": "How it ended: complete, incomplete, failed, skipped or not read.",
    "complete": "Whether the result is complete.",
    "run_succeeded": "Whether the whole run ended without an error.",
    "began": "When reading the list began, in UTC; null if it was not read.",
    "ended": "When reading the list ended, in UTC; null if it was not read.",
    # Earlier campaigns and events.
    "campaign__description": "Description of the campaign; empty in Cube's examples.",
    "campaign__type": "Type of the campaign, such as Booking, Sales or Offer.",
    "crm_type__id": "Id of the campaign's CRM type.",
    "crm_type__name": "Name of the campaign's CRM type, such as B2B.",
    "assignment__id": "Id of the campaign's assignment, which is the older name of a CRM.",
    "assignment__name": "Name of the campaign's assignment.",
    "assignment__description": "Description of the campaign's assignment.",
    "client__id": "Id of the client, which is the older name of a data owner.",
    "client__short_name": "Short name of the client, which is the older name of a data owner.",
    "client__full_name": "Full name of the client, which is the older name of a data owner.",
    "call_outcome__submitted_when": "When the outcome was submitted, in UTC, to the minute.",
    "meeting__time__from_date_time": "Beginning of a meeting; empty in Cube's examples.",
    "meeting__time__to_date_time": "End of a meeting; empty in Cube's examples.",
    # Customers of 2016 to 2019.
    "id": "Cube's own id of the customer.",
    "external_customer_id": "Imported id of the customer, in records of single customers.",
    "crm_type_id": "Id of the CRM's type; it says neither B2B nor B2C.",
    "name": "Name of the customer.",
    "gender": "Gender of the customer.",
    "birth_date": "Date of birth of the customer.",
    "need_to_know": "What to know of the customer, in free text.",
    "zone_name": "Name of a zone; empty in Cube's examples.",
    "care_of_name": "Care-of name of the address.",
    **_of("address_", {
        "street": "Street of the address.",
        "street_no": "Number in the street.",
        "entrance": "Entrance of the address.",
    }),
    "zip_code": "Postal code of the address; it may begin with a zero.",
    "city": "City of the address.",
    "municipality": "Municipality of the address.",
    "county": "County of the address.",
    "country": "Country of the address.",
    "phone_1": "First phone number of the customer.",
    "phone_2": "Second phone number of the customer.",
    "phone_3": "Third phone number of the customer.",
    "email": "E-mail address of the customer.",
    "more_info_fields": "An object of further fields; empty in Cube's example.",
    "updated_by": "Who last changed the customer: an e-mail address.",
    "update_method": "How the customer last changed, such as Import new.",
    "org_number": "Organisation number.",
    "org_number_main": "Main organisation number.",
    "org_name": "Name of the organisation.",
    "nace_code": "NACE code, which classifies industries.",
    "nace_text": "Text of the NACE code.",
    "number_of_employees": "Number of employees, as text.",
    "company_type": "Type of the company.",
    "established": "When the company was established, as text.",
    "credit_rating": "Credit rating of the company.",
    "url": "Web address.",
    "company_email": "E-mail address of the company.",
    "revenue": "Revenue of the company, as text.",
    "po_box": "Post office box.",
    "postal_address": "Postal address.",
    "postal_zip": "Postal code of the postal address.",
    "postal_city": "City of the postal address.",
}  # fmt: skip
"""Columns that mean the same in every stream, by name."""
