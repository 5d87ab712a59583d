"""What people type: fields, what is wrong with them, and how they become requests."""
