"""The streams, one short file a subject."""
