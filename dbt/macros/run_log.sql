{#- Whether a list was not read to its end. One that the account does not show to the credential is `skipped`. -#}
{%- macro cube_is_unread(result) -%}
    {{- return(cube_is_one_of(result, ['failed', 'incomplete', 'not read'])) -}}
{%- endmacro -%}


{#-
    When lists of a table were last read completely, for `dbt source freshness`. A table of which no run has read anything,
    as one that the account does not have, is as old as the newest run.
-#}
{%- macro cube_loaded_at(table) -%}
    {%- set runs = cube_table('run_log') -%}
    {%- set is_own = 'stream = ' ~ cube_text(table) -%}
    select
        case
            when max(case when {{ is_own }} then 1 end) = 1 then max(case when {{ is_own }} and complete then ended end)
            else max(ended)
        end
    from (
        select
            {{ cube_field(runs, 'stream') }} as stream,
            {{ cube_field(runs, 'ended', 'timestamp') }} as ended,
            {{ cube_field(runs, 'complete', 'boolean') }} as complete
        {{ cube_from(runs) | indent(8) }}
    ) as runs
{%- endmacro -%}
