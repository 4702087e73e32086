"""Poole et al. 2016, Schoenholz et al. 2017."""
