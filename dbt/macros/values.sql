{#- A text as a literal: labels and hints are free text, and no SQL. -#}
{%- macro cube_text(value) -%}
    {{- return("'" ~ ((value | string).replace("'", "''")) ~ "'") -}}
{%- endmacro -%}


{#- Whether an expression is one of some texts. A null is none of them, and so is anything if there are no texts. -#}
{%- macro cube_is_one_of(expression, values) -%}
    {%- set texts = [] -%}
    {%- for value in ([values] if values is string else values) -%}
        {%- do texts.append(cube_text(value)) -%}
    {%- endfor -%}
    {%- if texts -%}
        coalesce({{ expression }} in ({{ texts | join(', ') }}), false)
    {%- else -%}
        false
    {%- endif -%}
{%- endmacro -%}


{#- The names of lists of customers, as the tap writes them in `source`. -#}
{%- macro cube_crm_list(data_owner_id, crm_type) -%}
    'data_owners/' || {{ data_owner_id }} || '/' || {{ crm_type }}
{%- endmacro -%}


{%- macro cube_assignment_list(assignment_id) -%}
    'assignments/' || {{ assignment_id }}
{%- endmacro -%}


{#- A column's value; times with a zone become UTC, as the others are. -#}
{%- macro cube_in_utc(column) -%}
    {%- set has_zone = column.data_type | lower in ('timestamp with time zone', 'timestamptz') -%}
    {{- return(adapter.quote(column.name) ~ (" at time zone 'UTC'" if has_zone else '')) -}}
{%- endmacro -%}


{#- The present time in UTC, without a zone, as all times of the tables. -#}
{%- macro cube_now() -%}
    (now() at time zone 'UTC')
{%- endmacro -%}


{#- Names of types that databases spell differently. `numeric` keeps all digits in PostgreSQL only. -#}
{%- macro cube_type(name) -%}
    {{- return(adapter.dispatch('cube_type', 'cube')(name)) -}}
{%- endmacro -%}


{%- macro default__cube_type(name) -%}
    {{- return('numeric' if name == 'number' else name) -}}
{%- endmacro -%}


{%- macro duckdb__cube_type(name) -%}
    {{- return('double' if name == 'number' else name) -}}
{%- endmacro -%}


{#- The ISO week of a time in UTC, in the call centre's zone, such as 2026-W01. -#}
{%- macro cube_week(moment) -%}
    {%- set local = moment ~ " at time zone 'UTC' at time zone " ~ cube_text(var('cube_timezone')) -%}
    {{- return(adapter.dispatch('cube_week', 'cube')(local)) -}}
{%- endmacro -%}


{%- macro default__cube_week(local) -%}
    {{- return('to_char(' ~ local ~ ", 'IYYY-\"W\"IW')") -}}
{%- endmacro -%}


{%- macro duckdb__cube_week(local) -%}
    {{- return('strftime(' ~ local ~ ", '%G-W%V')") -}}
{%- endmacro -%}
