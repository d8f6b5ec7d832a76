"""The other programs that read the account, each run as a process of its own."""
