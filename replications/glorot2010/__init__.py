"""Glorot & Bengio 2010."""
