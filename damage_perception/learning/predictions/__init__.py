"""What a detector said about images: made, written, read."""
