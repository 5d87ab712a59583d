"""The main job, walked over HTTP alone against a system that runs: `make journey`."""
