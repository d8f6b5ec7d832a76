{#- What the tables of customers have in common, in the payloads of all generations. -#}
{%- macro cube_customer_fields(table) -%}
        {{ cube_field(table, 'customer_id') }} as customer_id,
        {{ cube_field(table, ['crm__standard_info__name', 'name']) }} as name,
        {{ cube_field(table, ['crm__standard_info__phone_1', 'phone_1']) }} as phone_1,
        {{ cube_field(table, ['crm__standard_info__phone_2', 'phone_2']) }} as phone_2,
        {{ cube_field(table, ['crm__standard_info__phone_3', 'phone_3']) }} as phone_3,
        {{ cube_field(table, ['crm__standard_info__email', 'email']) }} as email,
        {{ cube_field(table, 'updated', 'date') }} as updated,
        {{ cube_field(table, ['crm__change_log__updated_by', 'updated_by']) }} as updated_by,
        {{ cube_field(table, ['crm__change_log__update_method', 'update_method']) }} as update_method
{%- endmacro -%}


{#- The columns of stg_cube__customers that are not custom, in its order. -#}
{%- macro cube_customer_columns(alias) -%}
    {{ alias }}.source || '/' || {{ alias }}.customer_id as customer_key,
    {{ alias }}.source,
    {{ alias }}.data_owner_id,
    {{ alias }}.crm_type,
    {{ alias }}.assignment_id,
    {{ alias }}.customer_id,
    {#- Cube has emptied these of their id. Older accounts keep Cube's own, behind which the name says it. #}
    (
        {{ alias }}.customer_id like 'surrogate:%'
        or ({{ alias }}.customer_id like 'id:%' and {{ alias }}.name = 'Anonymized')
    ) as is_anonymised,
    {{ alias }}.name,
    {{ alias }}.phone_1,
    {{ alias }}.phone_2,
    {{ alias }}.phone_3,
    {{ alias }}.email,
    {{ alias }}.updated,
    {{ alias }}.updated_by,
    {{ alias }}.update_method
{%- endmacro -%}
