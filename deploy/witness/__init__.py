"""What an agency runs to watch the log: it needs the log's public key, a log-in, and a folder of its own."""
