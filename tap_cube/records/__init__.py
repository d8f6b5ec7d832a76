"""Response text to typed records: pure functions and values."""
