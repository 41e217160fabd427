"""See damaged items on a robot: RGB-D frames in, damage masks and divert decisions out."""

__version__ = '0.1.0'
