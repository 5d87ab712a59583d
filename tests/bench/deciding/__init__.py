"""What one decision costs, ours and that of general policy engines: see `__main__`."""
