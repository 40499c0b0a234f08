"""Any number of scorers on the same leads, over the same weeks, at the same capacity."""
