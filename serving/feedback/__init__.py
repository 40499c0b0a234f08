"""What the service saw, on its way back to history: exports to learn from, and a check of what was served."""
