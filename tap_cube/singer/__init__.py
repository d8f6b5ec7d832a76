"""Everything that uses private names of the Singer SDK or writes to stdout."""
