"""Handlers: one module a topic, one class a page."""
