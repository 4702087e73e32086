"""Lu, Shin, Su & Karniadakis 2019."""
