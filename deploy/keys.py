"""Creates the secrets of a compose project at its first start, one file each: `keys.py FOLDER`.

An existing file is left alone, so another start changes no key.
"""

import os
import secrets
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

APP = 10001  # the user in the image; nobody else can read them


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    keep(folder / "secret_key", secrets.token_urlsafe(64))
    begin_ring(folder / "ring", folder / "jwt_signing_key")
    # PostgreSQL reads it as another user.
    password = keep(folder / "postgres_password", secrets.token_urlsafe(32), mode=0o444)
    keep(folder / "database_url", f"postgres://app:{quote(password)}@postgres:5432/app")
    # Valkey, too. A configuration file, because Valkey cannot read a password from a file.
    line = keep(folder / "valkey.conf", f"requirepass {secrets.token_urlsafe(32)}", mode=0o444)
    password = line.removeprefix("requirepass ")
    keep(folder / "cache_url", f"redis://:{quote(password)}@valkey:6379/0")


def begin_ring(ring: Path, former: Path) -> None:
    """Create the key ring with its first key, for EdDSA, unless it exists.

    `former` is the signing key of a project older than the ring: its tokens stay valid.
    """
    if ring.exists():
        return
    fresh = ring.with_suffix(".new")
    fresh.mkdir(mode=0o700, exist_ok=True)
    if former.exists():
        keep(fresh / "20200101T000000Z.secret", former.read_text(encoding="ascii"))
    settings = {"DEBUG": "True", "ENV_FILE": "", "JWT_KEYS_DIR": str(fresh)}
    # "--in 0": beside a former key, the next one would be announced first.
    done = subprocess.run(
        [sys.executable, "manage.py", "rotatekeys", "--kind", "EdDSA", "--in", "0"],
        cwd=Path(__file__).resolve().parents[1],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        sys.exit(f"The key ring was not created: {done.stderr.strip()}")
    if os.geteuid() == 0:
        for path in (fresh, *fresh.iterdir()):
            os.chown(path, APP, APP)
    fresh.rename(ring)  # whole or not at all


def keep(path: Path, value: str, mode: int = 0o400) -> str:
    """Write the value to a new file; return what the file contains."""
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
    try:
        main(Path(sys.argv[1]))
    except OSError as error:
        sys.exit(f"The secrets were not created: {error.filename}: {error.strerror}.")
