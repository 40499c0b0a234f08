"""What callers may tell, and how it is kept: once, whole, and as of when we knew it."""
