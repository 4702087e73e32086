"""Mean-field theory of wide random networks: what a start will do, without drawing it."""
