"""The web client without any service: what it asks is answered from `replies.py`."""
