"""What an account has, and where."""
