"""What ``import initlab`` offers: runs, sweeps and starts, and how they show themselves."""
