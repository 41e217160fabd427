"""What predictions are worth, measured on labels."""
