"""Learning which product an item is by its looks."""
