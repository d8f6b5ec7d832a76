"""Tests of single functions and classes."""
