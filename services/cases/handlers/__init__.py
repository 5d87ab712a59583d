"""Entrypoints by topic, mixed into the service class: parse, decide, record, reveal."""
