"""The shelf of replicated papers: a folder for each, so that an installed Initlab finds them too."""
