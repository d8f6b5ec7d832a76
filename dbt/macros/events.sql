{#- What outcomes and sales have in common: ids, what was submitted, and the names that Cube sent with it. -#}
{%- macro cube_event_fields(table) -%}
        {{ cube_id_fields(table) }},
        {{ cube_field(table, 'call_outcome__type') }} as outcome_type,
        {{ cube_field(table, 'call_outcome__subtype') }} as outcome_subtype,
        {{ cube_field(table, 'call_outcome__comment') }} as comment,
        {{ cube_field(table, 'submitted_at', 'timestamp') }} as submitted_at,
        {{ cube_field(table, ['call_outcome__report_as__submitted_by', 'call_outcome__submitted_by']) }} as submitted_by,
        {{ cube_field(table, [
            'call_outcome__report_as__submitted_in_team',
            'call_outcome__report_as__submitted_in_department',
            'call_outcome__submitted_in_department',
        ]) }} as submitted_in_team
{%- endmacro -%}


{#- The ids of a row that belongs to a campaign and perhaps to a customer, and the names that Cube sent with it. -#}
{%- macro cube_id_fields(table) -%}
        {{ cube_field(table, 'campaign__id', 'bigint') }} as campaign_id,
        {{ cube_field(table, 'campaign__name') }} as campaign_name,
        {{ cube_field(table, 'data_owner_id', 'bigint') }} as data_owner_id,
        {{ cube_field(table, 'data_owner__name') }} as data_owner_name,
        {{ cube_field(table, 'crm_type') }} as crm_type,
        {{ cube_field(table, 'assignment_id', 'bigint') }} as assignment_id,
        {{ cube_field(table, 'customer_id') }} as customer_id,
        {{ cube_field(table, 'segment__name') }} as segment_name
{%- endmacro -%}


{#- The ids of a row of `cube_id_fields`, with the key that its customer has in stg_cube__customers. -#}
{%- macro cube_placed(alias) -%}
    {{ alias }}.campaign_id,
    {{ alias }}.campaign_name,
    case
        when {{ alias }}.customer_id is not null then {{ cube_source_of(alias) }} || '/' || {{ alias }}.customer_id
    end as customer_key,
    {{ alias }}.customer_id,
    {{ cube_source_of(alias) }} as source,
    {{ alias }}.data_owner_id,
    {{ alias }}.data_owner_name,
    {{ alias }}.crm_type,
    {{ alias }}.assignment_id
{%- endmacro -%}


{#- The list that has the customer of a row, with the joins of `cube_join_lists`: the CRM if its customers are loaded. -#}
{%- macro cube_source_of(alias) -%}
    coalesce(
        case when by_crm.source = by_crm.list_name then by_crm.source end,
        by_assignment.source,
        by_crm.source,
        {{ cube_crm_list(alias ~ '.data_owner_id', alias ~ '.crm_type') }},
        {{ cube_assignment_list(alias ~ '.assignment_id') }}
    )
{%- endmacro -%}


{%- macro cube_join_lists(alias) -%}
left join {{ ref('stg_cube__crms') }} as by_crm
    on by_crm.list_name = {{ cube_crm_list(alias ~ '.data_owner_id', alias ~ '.crm_type') }}
left join {{ ref('stg_cube__crms') }} as by_assignment
    on by_assignment.list_name = {{ cube_assignment_list(alias ~ '.assignment_id') }}
{%- endmacro -%}


{#- The columns of `cube_event_fields` that `cube_placed` does not have. -#}
{%- macro cube_event_columns(alias) -%}
    {{ alias }}.outcome_type,
    {{ alias }}.outcome_subtype,
    {{ alias }}.comment,
    {{ alias }}.submitted_at,
    {{ alias }}.submitted_by,
    {{ alias }}.submitted_in_team,
    {{ alias }}.segment_name
{%- endmacro -%}


{#- Further columns of a `select`, quoted already. -#}
{%- macro cube_listed(names, alias='') -%}
    {%- for name in names %},
        {{ alias ~ '.' if alias }}{{ name }}
    {%- endfor -%}
{%- endmacro -%}
