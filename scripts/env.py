"""Creates .env from .env.example, with random keys. Usage: `env.py [FOLDER]`."""

import re
import secrets
import sys
from pathlib import Path


def write_env(folder: Path) -> None:
    example = (folder / ".env.example").read_text(encoding="utf-8")
    env = folder / ".env"
    env.touch(mode=0o600)
    env.write_text(re.sub(r"(?m)^(\w+_KEY)=example.*$", _with_a_key, example), encoding="utf-8")


def _with_a_key(line: re.Match[str]) -> str:
    return f"{line[1]}={secrets.token_urlsafe(64)}"


if __name__ == "__main__":
    write_env(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
