"""Sohl-Dickstein 2024."""
