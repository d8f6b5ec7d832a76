{%- set fields = cube_table('custom_fields') -%}
with fields as (
    select
        {{ cube_field(fields, 'source') }} as source,
        {{ cube_field(fields, 'data_owner_id', 'bigint') }} as data_owner_id,
        {{ cube_field(fields, 'crm_type') }} as crm_type,
        {{ cube_field(fields, 'assignment_id', 'bigint') }} as assignment_id,
        {{ cube_field(fields, 'id', 'bigint') }} as field_id,
        {{ cube_field(fields, 'key') }} as label,
        {{ cube_field(fields, ['type', 'data__type']) }} as type,
        {{ cube_field(fields, 'max_length', 'bigint') }} as max_length,
        {{ cube_field(fields, 'hint') }} as hint,
        {{ cube_field(fields, 'column_name') }} as column_name,
        {{ cube_field(fields, 'readable_name') }} as readable_name
    {{ cube_from(fields) | indent(4) }}
)

select
    source || '/' || field_id as custom_field_key,
    fields.*
from fields
