"""Creates .env from .env.example, with random keys, and the key set that it names."""

import re
import secrets
import subprocess
import sys
from pathlib import Path


def write_env() -> None:
    example = Path(".env.example").read_text(encoding="utf-8")
    env = Path(".env")
    env.touch(mode=0o600)
    env.write_text(re.sub(r"(?m)^(\w+_KEY)=example.*$", _with_a_key, example), encoding="utf-8")
    if "\nJWT_KEYS_FILE=" in example:  # in a product
        command = [sys.executable, "manage.py", "rotatekeys", "--kind", "EdDSA"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _with_a_key(line: re.Match[str]) -> str:
    return f"{line[1]}={secrets.token_urlsafe(64)}"


if __name__ == "__main__":
    write_env()
