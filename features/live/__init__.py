"""Features of leads from rows of facts, as a service asks for them."""
