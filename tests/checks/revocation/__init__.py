"""V2: nothing that starts after a narrowing was acknowledged gives or takes case data, on any channel."""
