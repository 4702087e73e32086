"""Liu, Michaud & Tegmark 2023 (Omnigrok)."""
