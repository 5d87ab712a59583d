"""Where the data is kept: the only folder that imports pymongo."""
