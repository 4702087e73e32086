"""Cohen, Kaur, Li, Kolter & Talwalkar 2021."""
