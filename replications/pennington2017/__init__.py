"""Pennington, Schoenholz & Ganguli 2017."""
