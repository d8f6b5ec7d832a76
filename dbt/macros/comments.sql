{#-
    Comments on columns that no yml describes, since every account has its own: custom fields have Cube's label and the hint
    of its administrator, extras of a form their label. A post-hook of models with such columns.
-#}
{%- macro cube_custom_comments() -%}
    {%- if execute -%}
        {%- set own = adapter.get_columns_in_relation(this) | map(attribute='name') | list -%}
        {%- for name, custom in cube_custom_fields().items() if name in own -%}
            {%- set parts = ['Custom field "' ~ (custom['label'] or '') ~ '".'] + custom['hints'] %}
{{ cube_comment(name, parts | join(' ')) }}
        {%- endfor -%}
        {%- for name in own if '__extra__' in name -%}
            {%- set form, label = name.split('__extra__', 1) %}
{{ cube_comment(name, 'Extra "' ~ label ~ '" of the ' ~ (form | replace('_', ' ')) ~ '.') }}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro -%}


{%- macro cube_comment(name, text) -%}
comment on column {{ this }}.{{ adapter.quote(name) }} is {{ cube_text(text) }};
{%- endmacro -%}
