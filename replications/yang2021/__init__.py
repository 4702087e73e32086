"""Yang & Hu 2021."""
