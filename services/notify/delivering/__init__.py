"""Pushing events to webhooks: what waits for the network, in threads (greenlets, when run as a service)."""
