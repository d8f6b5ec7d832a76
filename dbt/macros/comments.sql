{#-
    Comments on the custom columns of a model: Cube's label, and the hint of its administrator. They are in no yml, since
    every account has its own. A post-hook of models with custom columns.
-#}
{%- macro cube_custom_comments() -%}
    {%- if execute -%}
        {%- set own = adapter.get_columns_in_relation(this) | map(attribute='name') | list -%}
        {%- for name, custom in cube_custom_fields().items() if name in own -%}
            {%- set parts = ['Custom field "' ~ (custom['label'] or '') ~ '".'] + custom['hints'] %}
comment on column {{ this }}.{{ adapter.quote(name) }} is {{ cube_text(parts | join(' ')) }};
        {%- endfor -%}
    {%- endif -%}
{%- endmacro -%}
