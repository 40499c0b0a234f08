"""From history to rows: snapshots, labels, groups, blocks of time and feature values."""
