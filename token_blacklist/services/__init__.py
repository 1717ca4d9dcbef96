"""For other services, which accept this site's tokens. The folder can be deleted: see urls.py."""
