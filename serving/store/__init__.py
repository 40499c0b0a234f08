"""The store: its tables, its engines, its steps from release to release, and whose turn it is."""
