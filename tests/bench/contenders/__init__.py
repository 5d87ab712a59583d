"""What is measured: each module is a server, a client, or both, run as a process of its own."""
