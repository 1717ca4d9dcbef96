"""A site with Simple JWT as most are: every line that docs/adopting.md changes is in it."""
