"""What the shape of a face says about damage, and how damage is measured."""
