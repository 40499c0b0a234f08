"""What the command line hands over."""
