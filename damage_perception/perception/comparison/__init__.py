"""An item beside pristine references of its product."""
