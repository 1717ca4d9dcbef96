"""What this project and its alternatives do in the same situations: `make compare`."""
