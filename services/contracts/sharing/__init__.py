"""What may be asked of `sharing`, a module for each topic."""
