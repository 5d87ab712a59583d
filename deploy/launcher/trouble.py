"""What stops the launcher."""


class Trouble(Exception):
    """Says in one or two plain sentences what is wrong and what to do about it."""
