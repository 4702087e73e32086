"""The training loop and what is kept of it."""
