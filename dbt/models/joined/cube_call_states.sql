{{ config(post_hook="{{ cube_custom_comments() }}") }}
{{ cube_with_names(ref('stg_cube__call_states')) }}
