{#-
    A table of the source as it is in the database: `relation` is none if there is no such table, `columns` are its
    columns by name. Accounts, settings and versions of the tap differ in what they load.
-#}
{%- macro cube_table(name) -%}
    {%- set declared = source('cube', name) -%}
    {%- set table = {'relation': none, 'columns': {}} -%}
    {%- if execute -%}
        {%- set relation = adapter.get_relation(declared.database, declared.schema, declared.identifier) -%}
        {%- if relation -%}
            {%- do table.update({'relation': relation}) -%}
            {%- for column in adapter.get_columns_in_relation(relation) -%}
                {%- do table['columns'].update({column.name: column}) -%}
            {%- endfor -%}
        {%- endif -%}
    {%- endif -%}
    {{- return(table) -}}
{%- endmacro -%}


{#- The column of a name, or none. Some targets write all names in lower case. -#}
{%- macro cube_column(table, name) -%}
    {%- set columns = table['columns'] -%}
    {{- return(columns.get(name) or columns.get(name | lower)) -}}
{%- endmacro -%}


{#-
    A field as an expression of one type. `names` are the columns that may hold it, the newest first; rows of an account
    in transition may have either. It is null if the table has none of them.
-#}
{%- macro cube_field(table, names, type='text') -%}
    {%- set type = cube_type(type) -%}
    {%- set found = [] -%}
    {%- for name in ([names] if names is string else names) -%}
        {%- set column = cube_column(table, name) -%}
        {%- if column -%}
            {%- do found.append('cast(' ~ cube_in_utc(column) ~ ' as ' ~ type ~ ')') -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if found | length > 1 -%}
        coalesce({{ found | join(', ') }})
    {%- else -%}
        {{ found[0] if found else 'cast(null as ' ~ type ~ ')' }}
    {%- endif -%}
{%- endmacro -%}


{#- The `from` of a table, and the `where` that leaves out rows that the target marked as deleted. -#}
{%- macro cube_from(table) -%}
    {%- if not table['relation'] -%}
    from (select 1 as nothing) as nothing
    where false
    {%- else -%}
    from {{ table['relation'] }}
    where {{ cube_is_present(table) }}
    {%- endif -%}
{%- endmacro -%}


{#- Whether a row is still in the account: targets with soft deletes only mark the others. -#}
{%- macro cube_is_present(table) -%}
    {%- set deleted = cube_column(table, '_sdc_deleted_at') -%}
    {{ adapter.quote(deleted.name) ~ ' is null' if deleted else 'true' }}
{%- endmacro -%}


{#- The columns whose names begin so, in the table's order, quoted: they may hold blanks and capitals. -#}
{%- macro cube_columns_like(table, beginnings) -%}
    {%- set found = [] -%}
    {%- for name in table['columns'] -%}
        {%- for beginning in beginnings if name.startswith(beginning) -%}
            {%- do found.append(adapter.quote(name)) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{- return(found) -}}
{%- endmacro -%}


{#- The columns of a model that is built already, but for some; of all models above it, to repeat none by hand. -#}
{%- macro cube_star(relation, alias, except=()) -%}
    {%- set names = [] -%}
    {%- if execute -%}
        {%- for column in adapter.get_columns_in_relation(relation) if column.name not in except -%}
            {%- do names.append(alias ~ '.' ~ adapter.quote(column.name)) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ names | join(',\n    ') if names else alias ~ '.*' }}
{%- endmacro -%}
