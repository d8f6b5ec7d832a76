{{ config(post_hook="{{ cube_custom_comments() }}") }}
{{ cube_with_names(ref('stg_cube__call_outcomes'), [(cube_is_sale(), 'is_sale'), (cube_is_contact(), 'is_contact')]) }}
