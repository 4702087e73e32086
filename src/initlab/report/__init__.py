"""What a sweep answers, in words, as pictures and as one page."""
