"""A replacement for curl on machines without it, with the options of the documented calls.

`python -m tests.support.curl -s -X POST -H "Name: value" -d body URL`
"""

import argparse
import os
import shutil
import sys
import urllib.error
import urllib.request
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(prog="curl")
    parser.add_argument("-s", "--silent", action="store_true")
    parser.add_argument("-X", dest="method")
    parser.add_argument("-H", dest="headers", action="append", default=[])
    parser.add_argument("-d", dest="data")
    parser.add_argument("url")
    args = parser.parse_args()
    request = urllib.request.Request(
        args.url, args.data.encode() if args.data else None, method=args.method
    )
    for header in args.headers:
        request.add_header(*header.split(": ", 1))
    try:
        answer = urllib.request.urlopen(request, timeout=20)
    except urllib.error.HTTPError as error:
        answer = error
    sys.stdout.write(answer.read().decode())


def path_with_curl(folder: Path) -> str:
    """Return a PATH that has a curl: the machine's own, or this one in the folder."""
    path = os.environ["PATH"]
    if shutil.which("curl"):
        return path
    shim = folder / "curl"
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{__file__}" "$@"\n')
    shim.chmod(0o755)
    return f"{folder}{os.pathsep}{path}"


if __name__ == "__main__":
    main()
