{{ config(materialized='view') }}
with contacts as (
    select
        customer_key,
        max(submitted_at) as last_contact
    from {{ ref('stg_cube__call_outcomes') }} as events
    where {{ cube_is_contact() }}
    group by customer_key
)

select
    customers.customer_key,
    customers.data_owner_id,
    customers.crm_type,
    customers.assignment_id,
    customers.customer_id,
    customers.name,
    contacts.last_contact
from {{ ref('stg_cube__customers') }} as customers
left join contacts
    on contacts.customer_key = customers.customer_key
where not customers.is_anonymised
    and (
        contacts.last_contact is null
        or contacts.last_contact < {{ cube_now() }} - interval '{{ var('cube_days_without_contact') | int }} days'
    )
