"""The doctor: what is wrong in a store, and mending it."""
