"""What happens to a session, which is one row of OutstandingToken: a whole operation in each file.

`open` (sign in), `prove` (authenticate a request), `refresh`, `prolong` (use pages), `end` (sign
out, revoke) and `flush` (delete expired rows), each with its statement at the top. They know rows,
users, time, and what a token claims about its session (`prove`). `tokens.py` has the claims.
"""
