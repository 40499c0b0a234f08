"""What the service saw, on its way back to history."""
