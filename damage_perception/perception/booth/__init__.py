"""Several cameras that see one item as one."""
