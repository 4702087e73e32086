"""Sitzmann et al. 2020."""
