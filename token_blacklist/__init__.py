"""JWT sign-in with one database row per session and immediate revocation."""
