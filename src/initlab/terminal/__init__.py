"""What a user types and sees in a terminal."""
