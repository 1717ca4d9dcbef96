"""How fast this project is, beside Simple JWT and beside what the machine could do: `make bench`."""
