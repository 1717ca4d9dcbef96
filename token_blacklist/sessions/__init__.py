"""Operations on sessions, which are rows of OutstandingToken: one whole operation in each file.

`prove` (authenticate a request), `end` (sign out, revoke), `open` (sign in, prolong), `refresh` and
`flush` (delete expired rows), each with its statement at the top. They know rows, users, time, and
what a token claims about its session. `tokens.py` has the claims.
"""
