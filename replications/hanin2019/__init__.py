"""Hanin & Rolnick 2019."""
