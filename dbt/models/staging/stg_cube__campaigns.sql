{%- set campaigns = cube_table('campaigns') -%}
select
    {{ cube_field(campaigns, 'campaign__id', 'bigint') }} as campaign_id,
    {{ cube_field(campaigns, 'campaign__name') }} as campaign_name,
    {{ cube_field(campaigns, 'campaign__start_date', 'date') }} as start_date,
    {{ cube_field(campaigns, 'campaign__end_date', 'date') }} as end_date,
    {{ cube_field(campaigns, 'campaign__archived_date', 'date') }} as archived_date,
    {{ cube_field(campaigns, 'campaign__is_active', 'boolean') }} as is_active,
    {{ cube_field(campaigns, 'service__id', 'bigint') }} as service_id,
    {{ cube_field(campaigns, 'service__name') }} as service_name,
    {{ cube_field(campaigns, 'data_owner__id', 'bigint') }} as data_owner_id,
    {{ cube_field(campaigns, 'data_owner__name') }} as data_owner_name,
    {#- As in addresses and in the tables of customers. #}
    nullif(upper(trim({{ cube_field(campaigns, ['campaign__crm_type', 'crm_type__name']) }})), '') as crm_type,
    {{ cube_field(campaigns, 'assignment__id', 'bigint') }} as assignment_id
{{ cube_from(campaigns) }}
