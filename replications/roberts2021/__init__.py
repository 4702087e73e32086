"""Roberts, Yaida & Hanin 2021."""
