"""Pristine references of each product, kept alive."""
