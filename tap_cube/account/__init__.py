"""What an account contains, and which endpoints serve it."""
