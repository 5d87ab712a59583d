"""Long checks of what must hold: each a command, `make check-…`, with a short form for CI."""
