select
    run_id,
    coalesce(
        {#- The id begins with the time of the run. A list that was not read has none. #}
        case when run_id like '____-__-__T__:__:__%Z%' then cast(split_part(run_id, 'Z', 1) as timestamp) end,
        min(began)
    ) as began,
    max(ended) as ended,
    bool_and(run_succeeded) as succeeded,
    bool_and(run_succeeded) and not bool_or({{ cube_is_unread('result') }}) as complete,
    count(*) as lists,
    sum(case when {{ cube_is_unread('result') }} then 1 else 0 end) as incomplete_lists,
    sum(counted) as counted,
    sum(read) as read,
    sum(emitted) as emitted,
    sum(unchanged) as unchanged,
    sum(requests) as requests,
    sum(retries) as retries,
    sum(unparsed) as unparsed,
    sum(anonymised) as anonymised
from {{ ref('stg_cube__run_log') }}
group by run_id
