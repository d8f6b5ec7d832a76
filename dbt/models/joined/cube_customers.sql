{{ config(post_hook="{{ cube_custom_comments() }}") }}
with owners as (
    select
        data_owner_id,
        min(data_owner_name) as data_owner_name
    from {{ ref('stg_cube__campaigns') }}
    group by data_owner_id
)

select
    owners.data_owner_name,
    {{ cube_star(ref('stg_cube__customers'), 'customers') }}
from {{ ref('stg_cube__customers') }} as customers
left join owners
    on owners.data_owner_id = customers.data_owner_id
