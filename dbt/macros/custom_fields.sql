{#-
    The custom fields that become columns, from the table custom_fields at build time: a dictionary by readable name of
    `comment` and `fields`. `fields` has, by the list that defines the field, the names that its column may have.
-#}
{%- macro cube_custom_fields() -%}
    {%- set table = cube_table('custom_fields') -%}
    {%- set found = {} -%}
    {%- if cube_column(table, 'readable_name') and cube_column(table, 'column_name') -%}
        {%- call statement('cube_custom_fields', fetch_result=true) -%}
            select
                {{ cube_field(table, 'readable_name') }} as readable_name,
                {{ cube_field(table, 'source') }} as source,
                {{ cube_field(table, 'column_name') }} as column_name,
                {{ cube_field(table, 'lookup__id') }} as lookup_id,
                {{ cube_field(table, 'key') }} as label,
                {{ cube_field(table, 'hint') }} as hint
            {{ cube_from(table) }}
            order by 1, 2, {{ cube_field(table, 'id', 'bigint') }}
        {%- endcall -%}
        {%- for readable, source, column, lookup, label, hint in load_result('cube_custom_fields')['data'] -%}
            {%- if readable and modules.re.fullmatch('assignments/[0-9]+|data_owners/[0-9]+/.+', source or '') -%}
                {%- set custom = found.setdefault(readable, {'label': label, 'hints': [], 'fields': {}}) -%}
                {%- do custom['fields'].update({source: [column, lookup]}) -%}
                {%- if hint and hint not in custom['hints'] -%}
                    {%- do custom['hints'].append(hint) -%}
                {%- endif -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {{- return(found) -}}
{%- endmacro -%}
