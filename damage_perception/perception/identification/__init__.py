"""Which product an item is."""
