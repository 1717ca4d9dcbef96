"""Build the packages of the app and of both clients, and test each in a new environment.

`make package` calls it. The archives are in build/package/dist; nothing is published.
"""

from __future__ import annotations

import shutil

from tests.support.checkout import ROOT

from . import app, javascript, python
from .building import BUILD, DIST, prepare, run

# Fails unless the files and the exports of the package are there.
PROGRAM = 'await import("token-blacklist-client").then(({ createSession }) => createSession())'


def main() -> None:
    prepare()
    app.main()
    python.main()
    javascript.main()
    pack_javascript()
    print("\nThe archives:", *sorted(path.name for path in DIST.iterdir()), sep="\n  ")


def pack_javascript() -> None:
    """Pack the JavaScript client, with the project's license, and import it from the archive."""
    client, package, user = ROOT / "clients" / "js", BUILD / "javascript", BUILD / "user"
    run("npm", "run", "build", cwd=client)
    shutil.copytree(client / "dist", package / "dist")
    for file in (client / "package.json", client / "README.md", ROOT / "LICENSE"):
        shutil.copy(file, package)
    run("npm", "pack", "--pack-destination", str(DIST), cwd=package)
    (archive,) = DIST.glob("*.tgz")
    user.mkdir()
    run("npm", "install", "--no-save", "--omit=peer", "--prefix", str(user), str(archive), cwd=user)
    run("node", "--input-type=module", "--eval", PROGRAM, cwd=user)


if __name__ == "__main__":
    main()
