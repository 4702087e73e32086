"""A run: built from its config, trained, summed up and kept."""
