"""How the service runs: one process or several, limits on connections, and a graceful end."""
