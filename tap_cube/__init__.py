"""Singer tap for Headshed Cube."""
