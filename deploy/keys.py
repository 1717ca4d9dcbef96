"""Makes the secrets of a compose project at its first start, one file each: `keys.py FOLDER`.

A file that is there is left alone, so that starting again changes no key.
"""

import os
import secrets
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

APP = 10001  # the user in the image, who alone reads them


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    keep(folder / "secret_key", secrets.token_urlsafe(64))
    begin_ring(folder / "ring", folder / "jwt_signing_key")
    # Its server reads it as a user of its own.
    password = keep(folder / "postgres_password", secrets.token_urlsafe(32), mode=0o444)
    keep(folder / "database_url", f"postgres://app:{quote(password)}@postgres:5432/app")
    # As does this one: a configuration file, because its server takes no file with a password.
    line = keep(folder / "valkey.conf", f"requirepass {secrets.token_urlsafe(32)}", mode=0o444)
    password = line.removeprefix("requirepass ")
    keep(folder / "cache_url", f"redis://:{quote(password)}@valkey:6379/0")


def begin_ring(ring: Path, former: Path) -> None:
    """Make the first key of tokens, for EdDSA, unless there is one.

    The key of a project that was started before there was a ring goes on verifying.
    """
    if ring.exists():
        return
    fresh = ring.with_suffix(".new")
    fresh.mkdir(mode=0o700, exist_ok=True)
    if former.exists():
        keep(fresh / "20200101T000000Z.secret", former.read_text(encoding="ascii"))
    settings = {"DEBUG": "True", "ENV_FILE": "", "JWT_KEYS_DIR": str(fresh)}
    # "--in 0": beside a former key, the next one would be announced first.
    subprocess.run(
        [sys.executable, "manage.py", "rotatekeys", "--kind", "EdDSA", "--in", "0"],
        cwd=Path(__file__).resolve().parents[1],
        env={**os.environ, **settings},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    if os.geteuid() == 0:
        for path in (fresh, *fresh.iterdir()):
            os.chown(path, APP, APP)
    fresh.rename(ring)  # whole or not at all


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
