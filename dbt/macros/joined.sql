{#-
    A model of events with the names of campaign, service, data owner and customer. The present names come first; those
    that Cube sent with the event stand in where an older account shows no ids.
-#}
{%- macro cube_with_names(events, further=[]) -%}
select
    {% for expression, name in further -%}
    {{ expression }} as {{ name }},
    {% endfor -%}
    coalesce(campaigns.campaign_name, events.campaign_name) as campaign_name,
    campaigns.service_name,
    coalesce(campaigns.data_owner_name, events.data_owner_name) as data_owner_name,
    customers.name as customer_name,
    {{ cube_star(events, 'events', ['campaign_name', 'data_owner_name']) }}
from {{ events }} as events
left join {{ ref('stg_cube__campaigns') }} as campaigns
    on campaigns.campaign_id = events.campaign_id
left join {{ ref('stg_cube__customers') }} as customers
    on customers.customer_key = events.customer_key
{%- endmacro -%}


{#- Whether an outcome is a sale, and whether it is a contact: the customer was reached. -#}
{%- macro cube_is_sale() -%}
    {{- return(cube_is_one_of('events.outcome_type', var('cube_sale_types'))) -}}
{%- endmacro -%}


{%- macro cube_is_contact() -%}
    {%- set others = cube_is_one_of('events.outcome_type', var('cube_no_contact_types')) -%}
    {{- return('events.outcome_type is not null and not ' ~ others) -}}
{%- endmacro -%}
