"""Loading of CSV files through the HTTP API, as a person who is logged in. A client like any other."""
