"""Learning and measuring; nothing that runs at a station imports this."""
