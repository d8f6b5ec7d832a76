select
    campaign_id,
    campaign_name,
    {{ cube_week('submitted_at') }} as week,
    count(*) as calls,
    sum(case when is_sale then 1 else 0 end) as sales,
    round(100.0 * sum(case when is_sale then 1 else 0 end) / count(*), 1) as percent
from {{ ref('cube_call_outcomes') }}
group by 1, 2, 3
