"""A first playbook for a company: written from a sample of its files, with the reason for each decision beside it."""
