select
    submitted_by as agent,
    submitted_in_team as team,
    count(*) as products,
    sum(price) as amount
from {{ ref('stg_cube__sales') }}
group by 1, 2
