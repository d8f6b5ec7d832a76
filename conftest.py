"""How Hypothesis searches: without a clock, afresh each time, and longer on request."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, settings

from tests.support.sizes import scaled

settings.register_profile(
    "tap-cube",
    deadline=None,
    database=None,
    max_examples=scaled(25, 200),
    phases=set(Phase) - {Phase.explain},  # costs hundreds of examples for a hint
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("tap-cube")
