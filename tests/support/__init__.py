"""What tests share: accounts, runs, servers, and what judges their output."""
