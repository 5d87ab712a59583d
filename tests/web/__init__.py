"""The web client in Debian's Chromium, against the demonstration."""
