{#- One row if the next run is overdue, or if there was none. -#}
with newest as (
    select max(began) as began
    from {{ ref('cube_runs') }}
)

select began
from newest
where began is null
    or began < {{ cube_now() }} - interval '{{ var('cube_hours_between_runs') | int }} hours'
