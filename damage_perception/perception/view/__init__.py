"""One item, square on to its face, in metres."""
