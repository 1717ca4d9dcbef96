"""How fast this project is, beside Simple JWT and what the machine could do: `make bench`."""
