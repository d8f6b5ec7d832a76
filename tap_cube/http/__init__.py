"""Requests to one account."""
