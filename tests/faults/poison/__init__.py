"""Messages that should never have been sent: what each is, where it goes, and what must become of it."""
