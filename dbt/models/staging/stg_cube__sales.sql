{{ config(post_hook="{{ cube_custom_comments() }}") }}
{%- set sales = cube_table('product_registrations') -%}
{%- set plan = cube_custom_plan([sales], by_key=true) -%}
{%- set extras = cube_columns_like(sales, ['call_outcome__extra__', 'product__extra__']) -%}
with sales as (
    select
        {{ cube_field(sales, 'product_registration_key') }} as sale_key,
        {{ cube_field(sales, 'product__code') }} as product_code,
        {{ cube_field(sales, 'product__title') }} as product_title,
        {{ cube_field(sales, 'product__price', 'number') }} as price,
        {{ cube_event_fields(sales) }}
        {{- cube_listed(extras) }}
        {{- cube_raw_columns(plan) }}
    {{ cube_from(sales) | indent(4) }}
)

select
    sales.sale_key,
    sales.product_code,
    sales.product_title,
    sales.price,
    {{ cube_placed('sales') }},
    {{ cube_event_columns('sales') }}
    {{- cube_listed(extras, 'sales') }}
    {{- cube_custom_columns(plan, 'sales') }}
from sales
{{ cube_join_lists('sales') }}
