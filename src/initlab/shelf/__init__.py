"""The shelf of replicated papers: what a paper printed, what comes out here, and whether that is the same.

Each paper has a folder in ``replications/``: ``paper.yaml`` with its claim, the published numbers and the
settings, and ``check.py`` with two functions, ``measure`` and ``figure``.
"""
