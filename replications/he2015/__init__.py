"""He, Zhang, Ren & Sun 2015."""
