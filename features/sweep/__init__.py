"""The sweep: a catalog as a plan, and the compiled loop that computes it."""
