"""Searching for a good setting: a trial is a stack of seeds, asked of Optuna and judged by validation."""
