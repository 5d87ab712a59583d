"""The pure part: no I/O; a clock and ids are passed in."""
