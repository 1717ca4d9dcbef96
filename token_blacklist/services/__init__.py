"""For other services that accept this site's tokens. The folder can be deleted: see urls.py."""
