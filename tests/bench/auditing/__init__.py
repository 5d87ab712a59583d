"""`make bench-audit`: what the log costs, and what its way in survives."""
