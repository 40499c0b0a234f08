"""From the files of a playbook to the contract's tables, with an account of every row."""
