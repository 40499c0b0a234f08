"""What the service says of itself: logs, metrics, and one line for each request."""
