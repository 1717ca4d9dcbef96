"""What happens to a session, which is one row of OutstandingToken: six operations.

`open` (sign in), `prove` (authenticate a request), `rotate` (refresh), `prolong` (use pages), `end`
(sign out, revoke) and `flush` (delete expired rows). Each module has its statement at the top. They
know rows, users and time; what a token claims is in `tokens.py`.
"""
