{%- set runs = cube_table('run_log') -%}
select
    {{ cube_field(runs, 'run_id') }} as run_id,
    {{ cube_field(runs, 'stream') }} as stream,
    {{ cube_field(runs, 'source') }} as source,
    {{ cube_field(runs, 'endpoint') }} as endpoint,
    {{ cube_field(runs, 'counted', 'bigint') }} as counted,
    {{ cube_field(runs, 'read', 'bigint') }} as read,
    {{ cube_field(runs, 'emitted', 'bigint') }} as emitted,
    {{ cube_field(runs, 'unchanged', 'bigint') }} as unchanged,
    {{ cube_field(runs, 'passes', 'bigint') }} as passes,
    {{ cube_field(runs, 'requests', 'bigint') }} as requests,
    {{ cube_field(runs, 'retries', 'bigint') }} as retries,
    {{ cube_field(runs, 'unparsed', 'bigint') }} as unparsed,
    {{ cube_field(runs, 'anonymised', 'bigint') }} as anonymised,
    {{ cube_field(runs, 'result') }} as result,
    {{ cube_field(runs, 'complete', 'boolean') }} as complete,
    {{ cube_field(runs, 'run_succeeded', 'boolean') }} as run_succeeded,
    {{ cube_field(runs, 'began', 'timestamp') }} as began,
    {{ cube_field(runs, 'ended', 'timestamp') }} as ended
{{ cube_from(runs) }}
