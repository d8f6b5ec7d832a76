"""Tests over a real socket, against the sandbox."""
