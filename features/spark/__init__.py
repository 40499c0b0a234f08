"""Features past one machine: the same sweep, over one part of the leads at a time, on Spark."""
