"""Scores: computed, explained, kept as receipts, followed behind the facts, and who is handed over by them."""
