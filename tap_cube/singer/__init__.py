"""What leans on the private names of the Singer SDK, and what reaches stdout."""
