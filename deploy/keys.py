"""Creates the secrets of a compose project, one file each. Usage: `keys.py FOLDER`.

Existing files are kept, so later starts change nothing.
"""

import os
import secrets
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

APP_UID = 10001  # the user in the image, the only one who can read most of the files


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    keep(folder / "secret_key", secrets.token_urlsafe(64))
    begin_set(folder / "jwt", folder)
    # PostgreSQL reads it as another user.
    password = keep(folder / "postgres_password", secrets.token_urlsafe(32), mode=0o444)
    keep(folder / "database_url", f"postgres://app:{quote(password)}@postgres:5432/app")
    # Valkey also runs as another user. It needs a configuration file: it has no option to read a
    # password from a file.
    line = keep(folder / "valkey.conf", f"requirepass {secrets.token_urlsafe(32)}", mode=0o444)
    password = line.removeprefix("requirepass ")
    keep(folder / "cache_url", f"redis://:{quote(password)}@valkey:6379/0")


def begin_set(place: Path, folder: Path) -> None:
    """Create the key set in `place`, with a first EdDSA key, unless it exists.

    Imports the key folder or signing key of an older version, so that its tokens stay valid.
    """
    if place.exists():
        return
    fresh = place.with_suffix(".new")
    fresh.mkdir(mode=0o700, exist_ok=True)
    settings = {"DEBUG": "True", "ENV_FILE": "", "JWT_KEYS_FILE": str(fresh / "keys.json")}
    ring, former = folder / "ring", folder / "jwt_signing_key"
    arguments = ["--kind", "EdDSA", "--in", "0"]  # active at once, because there is no other key
    if ring.exists():
        arguments = ["--import", str(ring)]
    elif former.exists():
        arguments.append("--keep-signing-key")
        settings |= {"JWT_SIGNING_KEY": "", "JWT_SIGNING_KEY_FILE": str(former)}
    done = subprocess.run(  # noqa: S603  # fixed arguments
        [sys.executable, "manage.py", "rotatekeys", *arguments],
        cwd=Path(__file__).resolve().parents[1],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        sys.exit(f"The key set was not created: {done.stderr.strip()}")
    if os.geteuid() == 0:
        for path in (fresh, *fresh.iterdir()):
            os.chown(path, APP_UID, APP_UID)
    fresh.rename(place)  # whole or not at all


def keep(path: Path, value: str, mode: int = 0o400) -> str:
    """Write the value to the file unless it exists; return the file's content."""
    if not path.exists():
        fresh = path.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(value, encoding="ascii")
        fresh.chmod(mode)
        if os.geteuid() == 0:
            os.chown(fresh, APP_UID, APP_UID)
        fresh.rename(path)  # whole or not at all
    return path.read_text(encoding="ascii")


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except OSError as error:
        sys.exit(f"The secrets were not created: {error.filename}: {error.strerror}.")
