"""Health check of the container: exits with 0 if the server responds, otherwise with 1."""

import os
import sys
import urllib.request

try:
    url = f"http://127.0.0.1:{os.environ.get('PORT', '8000')}/health/live/"
    # Without a proxy, even if the environment sets one.
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=4).close()
except OSError as error:
    sys.exit(f"{error}")
