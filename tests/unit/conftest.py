"""How Hypothesis searches here: without a clock, and afresh each time."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile(
    "tap-cube",
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("tap-cube")
