"""Hanin & Rolnick 2018."""
