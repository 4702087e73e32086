"""Sweeps: many runs that are planned, trained as stacks and summed up together."""
