"""How facts come in: each stored once, in whole batches, with the instant at which it became known."""
