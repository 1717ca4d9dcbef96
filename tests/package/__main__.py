"""Build the packages of the app and of both clients, and test each in a new environment.

`make package` calls it. The archives are in build/package/dist; nothing is published.
"""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

from . import app, javascript, python
from .building import BUILD, prepare


def main() -> None:
    prepare()
    app.main()
    python.main()
    javascript.main()
    print("\nThe archives:", *sorted(path.name for path in (BUILD / "dist").iterdir()), sep="\n  ")


if __name__ == "__main__":
    main()
