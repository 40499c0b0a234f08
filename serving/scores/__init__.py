"""Scores: computed and explained, recorded as receipts, kept up to date behind the facts; and who is handed over."""
