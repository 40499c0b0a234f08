"""Backups: made while the service runs; one that is restored does not undo what must last."""
