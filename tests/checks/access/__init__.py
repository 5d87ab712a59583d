"""`make check-access`: the access rule against a second one, written from the paper alone."""
