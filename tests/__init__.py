"""Tests of tap-cube."""
