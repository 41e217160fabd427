"""Learning which pieces of a picture are one item."""
