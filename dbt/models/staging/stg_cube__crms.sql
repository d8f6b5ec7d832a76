{#-
    An assignment is the older name of a CRM, and an account that serves both shows the same people twice. Campaigns say
    which is which.
-#}
{%- set data_owner_customers = cube_table('data_owner_customers') -%}
{%- set assignment_customers = cube_table('assignment_customers') -%}
with pairs as (
    select distinct
        {{ cube_crm_list('data_owner_id', 'crm_type') }} as crm,
        data_owner_id,
        crm_type,
        {{ cube_assignment_list('assignment_id') }} as assignment,
        assignment_id
    from {{ ref('stg_cube__campaigns') }}
),

loaded as (
    select
        pairs.*,
        exists (
            select 1
            from (
                select
                    {{ cube_field(data_owner_customers, 'data_owner_id', 'bigint') }} as data_owner_id,
                    {{ cube_field(data_owner_customers, 'crm_type') }} as crm_type
                {{ cube_from(data_owner_customers) | indent(16) }}
            ) as customers
            where customers.data_owner_id = pairs.data_owner_id and customers.crm_type = pairs.crm_type
        ) as has_crm,
        exists (
            select 1
            from (
                select {{ cube_field(assignment_customers, 'assignment_id', 'bigint') }} as assignment_id
                {{ cube_from(assignment_customers) | indent(16) }}
            ) as customers
            where customers.assignment_id = pairs.assignment_id
        ) as has_assignment
    from pairs
)

select
    crm as list_name,
    coalesce(max(case when has_crm then crm end), min(case when has_assignment then assignment end), crm) as source,
    data_owner_id,
    crm_type,
    min(assignment_id) as assignment_id
from loaded
where crm is not null
group by crm, data_owner_id, crm_type

union all

select
    assignment as list_name,
    {#- An assignment whose campaigns are of several CRMs is none of them. #}
    case
        when count(distinct crm) = 1 and bool_or(has_crm) then min(crm)
        else assignment
    end as source,
    case when count(distinct crm) = 1 then min(data_owner_id) end as data_owner_id,
    case when count(distinct crm) = 1 then min(crm_type) end as crm_type,
    assignment_id
from loaded
where assignment is not null
group by assignment, assignment_id
