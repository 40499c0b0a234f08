"""What is held about a person: told, and forgotten."""
