"""Reads all pages of one resource so that no row is missed."""
