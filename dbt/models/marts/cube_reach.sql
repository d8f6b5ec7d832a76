{#- Attempts are counted by customer and campaign. Nobody can say to whom the outcomes of anonymised people belong. -#}
with attempts as (
    select
        campaign_id,
        campaign_name,
        customer_key,
        is_contact,
        row_number() over (
            partition by campaign_id, campaign_name, customer_key
            order by submitted_at, call_outcome_key
        ) as attempt
    from {{ ref('cube_call_outcomes') }}
    where customer_key is not null
),

customers as (
    select
        campaign_id,
        campaign_name,
        customer_key,
        max(attempt) as attempts,
        min(case when is_contact then attempt end) as first_contact
    from attempts
    group by 1, 2, 3
),

by_attempt as (
    select
        attempts.campaign_id,
        attempts.campaign_name,
        attempts.attempt as attempts,
        sum(case when customers.first_contact = attempts.attempt then 1 else 0 end) as reached
    from attempts
    inner join customers
        on customers.customer_key = attempts.customer_key
        and customers.campaign_id is not distinct from attempts.campaign_id
        and customers.campaign_name is not distinct from attempts.campaign_name
    group by 1, 2, 3
),

called as (
    select
        campaign_id,
        campaign_name,
        count(*) as called
    from customers
    group by 1, 2
)

select
    by_attempt.campaign_id,
    by_attempt.campaign_name,
    by_attempt.attempts,
    by_attempt.reached,
    called.called,
    round(
        100.0 * sum(by_attempt.reached) over (
            partition by by_attempt.campaign_id, by_attempt.campaign_name
            order by by_attempt.attempts
        ) / called.called,
        1
    ) as percent
from by_attempt
inner join called
    on called.campaign_id is not distinct from by_attempt.campaign_id
    and called.campaign_name is not distinct from by_attempt.campaign_name
