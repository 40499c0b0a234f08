"""Features over the tables of a history."""
