"""Processes: how they begin, what they do between answers, what they say of themselves, how they end."""
