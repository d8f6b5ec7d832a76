{{ config(post_hook="{{ cube_custom_comments() }}") }}
{%- set outcomes = cube_table('call_outcomes') -%}
{%- set plan = cube_custom_plan([outcomes], by_key=true) -%}
{%- set extras = cube_columns_like(outcomes, ['call_outcome__extra__']) -%}
with outcomes as (
    select
        {{ cube_field(outcomes, 'call_outcome_key') }} as call_outcome_key,
        {{ cube_event_fields(outcomes) }}
        {{- cube_listed(extras) }}
        {{- cube_raw_columns(plan) }}
    {{ cube_from(outcomes) | indent(4) }}
)

select
    outcomes.call_outcome_key,
    {{ cube_placed('outcomes') }},
    {{ cube_event_columns('outcomes') }}
    {{- cube_listed(extras, 'outcomes') }}
    {{- cube_custom_columns(plan, 'outcomes') }}
from outcomes
{{ cube_join_lists('outcomes') }}
