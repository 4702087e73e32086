"""Many runs: planned, trained as stacks, and looked at together."""
