{#- Whether a list was not read to its end. One that the account does not show to the credential is `skipped`. -#}
{%- macro cube_is_unread(result) -%}
    {{- return(cube_is_one_of(result, ['failed', 'incomplete', 'not read'])) -}}
{%- endmacro -%}


{#- When a table was last read completely, for `dbt source freshness`. -#}
{%- macro cube_loaded_at(stream) -%}
    {%- set runs = cube_table('run_log') -%}
    select
        coalesce(
            max(case when stream = {{ cube_text(stream) }} then ended end),
            {#- A table that this account does not have is as old as the newest run. #}
            max(ended)
        )
    from (
        select
            {{ cube_field(runs, 'stream') }} as stream,
            {{ cube_field(runs, 'ended', 'timestamp') }} as ended,
            {{ cube_field(runs, 'complete', 'boolean') }} as complete
        {{ cube_from(runs) | indent(8) }}
    ) as runs
    where complete
{%- endmacro -%}
