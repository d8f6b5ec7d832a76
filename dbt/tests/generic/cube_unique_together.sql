{#- Some columns together are a key; a null is a value like any other. -#}
{% test cube_unique_together(model, columns) %}
select
    {{ columns | join(', ') }},
    count(*) as rows_of_key
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
