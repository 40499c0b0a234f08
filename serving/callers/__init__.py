"""Who may call, how often, and what administrators did."""
