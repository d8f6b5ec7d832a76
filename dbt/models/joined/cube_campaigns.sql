select
    campaigns.*,
    coalesce(by_crm.source, by_assignment.source) as source
from {{ ref('stg_cube__campaigns') }} as campaigns
{{ cube_join_lists('campaigns') }}
