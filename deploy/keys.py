"""Makes the secrets of a compose project at its first start, one file each: `keys.py FOLDER`.

A file that is there is left alone, so that starting again changes no key.
"""

import os
import secrets
import sys
from pathlib import Path
from urllib.parse import quote

APP = 10001  # the user in the image, who alone reads them


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    keep(folder / "secret_key", secrets.token_urlsafe(64))
    keep(folder / "jwt_signing_key", secrets.token_urlsafe(64))
    # Its server reads it as a user of its own.
    password = keep(folder / "postgres_password", secrets.token_urlsafe(32), mode=0o444)
    keep(folder / "database_url", f"postgres://app:{quote(password)}@postgres:5432/app")
    # As does this one: a configuration file, because its server takes no file with a password.
    line = keep(folder / "valkey.conf", f"requirepass {secrets.token_urlsafe(32)}", mode=0o444)
    password = line.removeprefix("requirepass ")
    keep(folder / "cache_url", f"redis://:{quote(password)}@valkey:6379/0")


def keep(path: Path, value: str, mode: int = 0o400) -> str:
    """Write the value, unless the file has one; return what is in it."""
    if not path.exists():
        fresh = path.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(value, encoding="ascii")
        fresh.chmod(mode)
        if os.geteuid() == 0:
            os.chown(fresh, APP, APP)
        fresh.rename(path)  # whole or not at all
    return path.read_text(encoding="ascii")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
