"""V3: every disclosure has its entry in the log, exactly one, saying what it was. V6: nothing leaks."""
