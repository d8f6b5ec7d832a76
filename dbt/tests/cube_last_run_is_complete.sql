{#-
    A row for each reason why the newest run is not complete. Lists may end, as campaigns do, so only those count that the
    run names, and streams of which it names none. It refers to two models, so that a failure skips neither of them.
-#}
with latest as (
    select
        run_id,
        began,
        succeeded
    from {{ ref('cube_runs') }}
    where run_id = (select max(run_id) from {{ ref('cube_runs') }})
),

lists as (
    select log.*
    from {{ ref('stg_cube__run_log') }} as log
    inner join latest
        on latest.run_id = log.run_id
),

complete_before as (
    select distinct
        log.stream,
        log.source
    from {{ ref('stg_cube__run_log') }} as log
    inner join {{ ref('cube_runs') }} as runs
        on runs.run_id = log.run_id
    inner join latest
        on latest.run_id > runs.run_id
    where log.complete
        and runs.began > latest.began - interval '30 days'
)

select
    'the run failed' as reason,
    cast(null as text) as stream,
    cast(null as text) as source
from latest
where not coalesce(succeeded, false)

union all

select
    result as reason,
    stream,
    source
from lists
where {{ cube_is_unread('result') }}

union all

select
    'skipped, and read before' as reason,
    lists.stream,
    lists.source
from lists
inner join complete_before
    on complete_before.stream = lists.stream
    and complete_before.source = lists.source
where lists.result = 'skipped'

union all

select distinct
    'no list of the stream, and read before' as reason,
    complete_before.stream,
    cast(null as text) as source
from complete_before
cross join latest
where not exists (select 1 from lists where lists.stream = complete_before.stream)
