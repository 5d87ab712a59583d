"""What every contender echoes. No imports: some contenders patch before they import anything."""

from __future__ import annotations

TEXT = "The quick brown fox jumps over the lazy dog. " * 3
BODY = f'{{"text":"{TEXT}"}}'.encode()
"""As JSON, for those without models."""
PATIENCE = 20.0
"""Seconds that a client waits at its start for its server to be there."""
