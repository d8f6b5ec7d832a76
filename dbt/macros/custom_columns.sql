{#-
    How the custom fields become columns of a model. `columns` is a list of `name`, `type`, `is_cast` and `stored`; the
    last one has, for each of the tables, the stored column by the list of customers that defines the field so. `raw`
    has all stored columns of each table, and `lists` all lists with definitions. A field whose values have several
    types is a number if all of these are numbers, and text otherwise.

    `tables` are what the model is made of. `by_key` is whether their columns have Cube's keys, whatever customers have.
-#}
{%- macro cube_custom_plan(tables, by_key=false) -%}
    {%- set plan = {'columns': [], 'raw': [], 'lists': []} -%}
    {%- for table in tables -%}{%- do plan['raw'].append([]) -%}{%- endfor -%}
    {%- for name, custom in cube_custom_fields().items() -%}
        {%- set types = [] -%}
        {%- set stored = [] -%}
        {%- for table in tables -%}
            {%- set raw = plan['raw'][loop.index0] -%}
            {%- set by_list = {} -%}
            {%- for list, names in custom['fields'].items() -%}
                {%- if list not in plan['lists'] -%}{%- do plan['lists'].append(list) -%}{%- endif -%}
                {%- set column = cube_custom_column(table, names, by_key) -%}
                {%- if column -%}
                    {%- do by_list.update({list: column.name}) -%}
                    {%- if column.name not in raw -%}{%- do raw.append(column.name) -%}{%- endif -%}
                    {%- if column.data_type not in types -%}{%- do types.append(column.data_type) -%}{%- endif -%}
                {%- endif -%}
            {%- endfor -%}
            {%- do stored.append(by_list) -%}
        {%- endfor -%}
        {%- set type = types[0] if types | length == 1 else cube_widest(types) -%}
        {%- do plan['columns'].append({'name': name, 'type': type, 'is_cast': types | length > 1, 'stored': stored}) -%}
    {%- endfor -%}
    {{- return(plan) -}}
{%- endmacro -%}


{#- The type of values that are stored as several types; text if there are none. -#}
{%- macro cube_widest(types) -%}
    {%- set others = [] -%}
    {%- for type in types -%}
        {%- if not (type | lower).startswith(('bigint', 'integer', 'hugeint', 'numeric', 'decimal', 'double')) -%}
            {%- do others.append(type) -%}
        {%- endif -%}
    {%- endfor -%}
    {{- return(cube_type('number') if types and not others else 'text') -}}
{%- endmacro -%}


{#-
    The stored column of a custom field, or none. `names` are the customers' column and Cube's key. Where customers are
    listed by labels, the former is a label, as which an event may have a column that is something else.
-#}
{%- macro cube_custom_column(table, names, by_key) -%}
    {%- set column_name, key = names -%}
    {%- if column_name and (not by_key or column_name.startswith(('crm__custom_', 'custom__'))) -%}
        {%- set column = cube_column(table, column_name) -%}
        {%- if column -%}{{- return(column) -}}{%- endif -%}
    {%- endif -%}
    {{- return(cube_column(table, key) if key else none) -}}
{%- endmacro -%}


{#- The stored columns of one table, each as `raw__` and its number: a label may be the name of another column. -#}
{%- macro cube_raw_columns(plan, table=0) -%}
    {%- for name in plan['raw'][table] %},
        {{ adapter.quote(name) }} as raw__{{ loop.index }}
    {%- endfor -%}
{%- endmacro -%}


{#-
    The custom fields of a row as columns. One number can be another field in another list of customers, so the list
    decides from which column a field is taken. A row may belong to a CRM and to the assignment that is its older name:
    the definitions of the kind `first` count, and the others if a list of this kind has none.

    `alias` has `data_owner_id`, `crm_type`, `assignment_id` and the columns of `cube_raw_columns`.
-#}
{%- macro cube_custom_columns(plan, alias, table=0, first='data_owners') -%}
    {%- for column in plan['columns'] %},
        {{ cube_custom_value(plan, column, alias, table, first) }} as {{ adapter.quote(column['name']) }}
    {%- endfor -%}
{%- endmacro -%}


{%- macro cube_custom_value(plan, column, alias, table, first) -%}
    {%- set own = {} -%}
    {%- set others = {} -%}
    {%- for list, name in column['stored'][table].items() -%}
        {%- do (own if list.startswith(first) else others).setdefault(name, []).append(list) -%}
    {%- endfor -%}
    {%- set cases = [] -%}
    {%- for name, lists in own.items() -%}
        {%- do cases.append('when ' ~ cube_is_in(lists, alias) ~ ' then ' ~ cube_raw(plan, column, name, alias, table)) -%}
    {%- endfor -%}
    {%- set defined = [] -%}
    {%- for list in plan['lists'] if others and list.startswith(first) -%}
        {%- do defined.append(list) -%}
    {%- endfor -%}
    {%- if defined -%}
        {%- do cases.append('when ' ~ cube_is_in(defined, alias) ~ ' then null') -%}
    {%- endif -%}
    {%- for name, lists in others.items() -%}
        {%- do cases.append('when ' ~ cube_is_in(lists, alias) ~ ' then ' ~ cube_raw(plan, column, name, alias, table)) -%}
    {%- endfor -%}
    {%- if cases -%}
        case {{ cases | join(' ') }} end
    {%- else -%}
        cast(null as {{ column['type'] }})
    {%- endif -%}
{%- endmacro -%}


{#- A stored column of a custom field, in the type of all its values. -#}
{%- macro cube_raw(plan, column, name, alias, table) -%}
    {%- set raw = alias ~ '.raw__' ~ (plan['raw'][table].index(name) + 1) -%}
    {{- return('cast(' ~ raw ~ ' as ' ~ column['type'] ~ ')' if column['is_cast'] else raw) -}}
{%- endmacro -%}


{#- Whether a row belongs to one of some lists of customers, by its ids: quicker than by the lists' names. -#}
{%- macro cube_is_in(lists, alias) -%}
    {%- set found = [] -%}
    {%- for list in lists -%}
        {%- set parts = list.split('/', 2) -%}
        {%- if parts | length == 2 -%}
            {%- do found.append(alias ~ '.assignment_id = ' ~ (parts[1] | int)) -%}
        {%- else -%}
            {%- set is_owner = alias ~ '.data_owner_id = ' ~ (parts[1] | int) -%}
            {%- do found.append('(' ~ is_owner ~ ' and ' ~ alias ~ '.crm_type = ' ~ cube_text(parts[2]) ~ ')') -%}
        {%- endif -%}
    {%- endfor -%}
    {{- return(found | join(' or ')) -}}
{%- endmacro -%}
