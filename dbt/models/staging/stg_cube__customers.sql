{{ config(post_hook="{{ cube_custom_comments() }}") }}
{%- set of_crms = cube_table('data_owner_customers') -%}
{%- set of_assignments = cube_table('assignment_customers') -%}
{%- set plan = cube_custom_plan([of_crms, of_assignments]) -%}
with of_crms as (
    select
        {{ cube_field(of_crms, 'data_owner_id', 'bigint') }} as data_owner_id,
        {{ cube_field(of_crms, 'crm_type') }} as crm_type,
        {{ cube_customer_fields(of_crms) }}
        {{- cube_raw_columns(plan, 0) }}
    {{ cube_from(of_crms) | indent(4) }}
),

of_assignments as (
    select
        {{ cube_field(of_assignments, 'assignment_id', 'bigint') }} as assignment_id,
        {{ cube_customer_fields(of_assignments) }}
        {{- cube_raw_columns(plan, 1) }}
    {{ cube_from(of_assignments) | indent(4) }}
),

named_crms as (
    select
        {{ cube_crm_list('customers.data_owner_id', 'customers.crm_type') }} as source,
        lists.assignment_id,
        customers.*
    from of_crms as customers
    left join {{ ref('stg_cube__crms') }} as lists
        on lists.list_name = {{ cube_crm_list('customers.data_owner_id', 'customers.crm_type') }}
),

named_assignments as (
    select
        {{ cube_assignment_list('customers.assignment_id') }} as source,
        lists.data_owner_id,
        lists.crm_type,
        customers.*
    from of_assignments as customers
    left join {{ ref('stg_cube__crms') }} as lists
        on lists.list_name = {{ cube_assignment_list('customers.assignment_id') }}
    {#- The same people are among the customers of the CRM. #}
    where lists.source is null or lists.source = lists.list_name
)

select
    {{ cube_customer_columns('customers') }}
    {{- cube_custom_columns(plan, 'customers', 0, 'data_owners') }}
from named_crms as customers

union all

select
    {{ cube_customer_columns('customers') }}
    {{- cube_custom_columns(plan, 'customers', 1, 'assignments') }}
from named_assignments as customers
