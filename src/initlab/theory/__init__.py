"""Mean-field theory of wide random networks: it predicts what a start does to signals before any is drawn."""
