"""Every endpoint, asked by everybody in every relation to a case: nobody gets what is not theirs (V7, V8)."""
