"""Saxe, McClelland & Ganguli 2014."""
