"""Which pixels are which item."""
