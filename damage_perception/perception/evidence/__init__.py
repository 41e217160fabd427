"""What geometry, network and references say together."""
