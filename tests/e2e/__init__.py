"""Tests through Meltano into PostgreSQL."""
