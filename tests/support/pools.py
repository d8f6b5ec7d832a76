"""Threads for prefetchers that are tested without a client."""

from __future__ import annotations

from tap_cube.http.limit import AdaptiveLimit
from tap_cube.http.prefetch import WorkerPool


def pool_of(size: int) -> WorkerPool:
    """A pool that has all its threads from the start; 0 for none."""
    return WorkerPool(AdaptiveLimit(size, start=size))
