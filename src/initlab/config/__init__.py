"""Turns a composed config into checked settings and functions."""
