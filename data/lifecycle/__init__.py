"""Who is open, and since when others are closed: one rule for history, training and the service."""
