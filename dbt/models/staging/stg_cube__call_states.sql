{{ config(post_hook="{{ cube_custom_comments() }}") }}
{%- set states = cube_table('callflow_customers') -%}
{%- set plan = cube_custom_plan([states], by_key=true) -%}
with states as (
    select
        {{ cube_field(states, 'callflow_key') }} as call_state_key,
        {{ cube_id_fields(states) }},
        {{ cube_field(states, 'callflow__callstate__name') }} as call_state,
        {{ cube_field(states, 'callflow__attempts_status__attempts', 'bigint') }} as attempts,
        {{ cube_field(states, 'callflow__last_change__when', 'timestamp') }} as changed_at,
        {{ cube_field(states, 'callflow__last_change__user') }} as changed_by,
        {{ cube_field(states, 'callflow__last_change__cause') }} as cause,
        {{ cube_field(states, 'callflow__last_change__alternative') }} as alternative,
        {{ cube_field(states, 'callflow__last_change__comment') }} as comment
        {{- cube_raw_columns(plan) }}
    {{ cube_from(states) | indent(4) }}
)

select
    states.call_state_key,
    {{ cube_placed('states') }},
    states.call_state,
    states.attempts,
    states.changed_at,
    states.changed_by,
    states.cause,
    states.alternative,
    states.comment,
    states.segment_name
    {{- cube_custom_columns(plan, 'states') }}
from states
{{ cube_join_lists('states') }}
