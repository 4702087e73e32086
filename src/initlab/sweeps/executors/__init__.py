"""Where groups of jobs run."""
