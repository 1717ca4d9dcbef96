"""JWT sign-in with one row per session, and a blacklist that ends it at once."""
