"""How a store made by an earlier release becomes one of this release, and the other way round."""
