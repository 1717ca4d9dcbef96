"""Creates a product from this project: a copy with its own name, color, sender and keys.

Called by `make new NAME="Acme Portal" DIR=../acme`. ACCENT=#a61e4d and SENDER=hello@acme.example
are optional. The history, .env and the database are not copied.

Copier, Cookiecutter and `startproject --template` need placeholders in the files. With those, this
project could not run itself, and its tests would not test the files that a product gets.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unicodedata
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from zlib import crc32

from env import write_env

ROOT = Path(__file__).resolve().parents[1]
NAME = re.compile(r"[^\W_][\w .&'+-]{0,48}[^\W_]")  # characters that need no quoting in the files
KEYS = "keys/jwt.json"  # the key set, in a folder that git ignores
COLOR = re.compile("#[0-9a-fA-F]{6}")
ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+", re.ASCII)
# The default is chosen by the name, so that products usually have different colors.
COLORS = ("#0b7285", "#2b8a3e", "#5f3dc4", "#862e9c", "#a61e4d", "#c92a2a", "#d9480f", "#364fc7")

README = """\
# {name}

The accounts of {name}: sign-in with JSON Web Tokens, and a sign-out that takes effect on every
server with the next request. Each session is one database row.

Create the first user with `.venv/bin/python manage.py createsuperuser`.

"""
CHANGELOG = "# Changelog\n\n## Unreleased\n\n### Added\n\n- {name}.\n"


@dataclass(frozen=True)
class Product:
    name: str
    color: str
    sender: str


def main() -> None:
    product = read_product(os.environ)
    folder = read_folder(os.environ.get("DIR", ""))
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as scratch:
        copy = Path(scratch) / folder.name
        copy_files(copy)
        rename(copy, product)
        write_env(copy)
        begin_key_set(copy)
        begin_history(copy, product)
        copy.replace(folder)  # whole or not at all
    print(
        f"{product.name} is in {folder}: color {product.color}, mail from {product.sender}.\n\n"
        f"  cd {folder}\n  make run\n  make test\n"
    )


def read_product(given: os._Environ[str] | dict[str, str]) -> Product:
    name = given.get("NAME", "").strip()
    if not NAME.fullmatch(name):
        sys.exit(
            "NAME must have 2 to 50 letters, digits, spaces or . & ' + -. Example: "
            'make new NAME="Acme Portal" DIR=../acme'
        )
    color = given.get("ACCENT", "") or COLORS[crc32(name.encode()) % len(COLORS)]
    if not COLOR.fullmatch(color):
        sys.exit("ACCENT must be # and six hexadecimal digits, quoted. Example: ACCENT='#a61e4d'")
    sender = given.get("SENDER", "") or f"no-reply@{slug(name)}.example"
    if not ADDRESS.fullmatch(sender):
        sys.exit("SENDER must be an e-mail address. Example: SENDER=hello@acme.example")
    return Product(name, color, sender)


def read_folder(given: str) -> Path:
    if not given.strip():
        sys.exit('DIR must name a new folder. Example: make new NAME="Acme Portal" DIR=../acme')
    folder = Path(given).expanduser().resolve()
    if folder == ROOT or ROOT in folder.parents:
        sys.exit(f"DIR is inside this project ({folder}). Choose a folder outside of it.")
    if not folder.parent.is_dir() or not os.access(folder.parent, os.W_OK | os.X_OK):
        sys.exit(f"{folder.parent} is not a writable folder. Choose another DIR.")
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        sys.exit(f"{folder} already exists. Choose another DIR, or remove it.")
    return folder


def slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub("[^a-z0-9]+", "-", plain).strip("-") or "product"


def git(folder: Path, *command: str) -> str:
    # Without GIT_DIR and the like, which a hook or another tool may have set.
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    who = ("-c", "safe.directory=*", "-c", "commit.gpgsign=false", "-c", "core.hooksPath=/dev/null")
    try:
        done = subprocess.run(
            ["git", *who, *command], cwd=folder, env=env, capture_output=True, text=True, check=True
        )
    except FileNotFoundError:
        sys.exit("git was not found. Install it and try again.")
    except subprocess.CalledProcessError as error:
        sys.exit(f"git {command[0]} failed: {error.stderr.strip().splitlines()[-1]}")
    return done.stdout


def copy_files(folder: Path) -> None:
    """Copy the files in git's index, and no others."""
    for name in filter(None, git(ROOT, "ls-files", "-z").split("\0")):
        source, target = ROOT / name, folder / name
        if source.is_file():  # it may have been deleted without `git rm`
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)


def rename(folder: Path, product: Product) -> None:
    """Replace the default name, color and sender with the product's."""
    settings = (folder / "config" / "settings.py").read_text(encoding="utf-8")
    before = {
        variable: re.search(rf'"{variable}", default="([^"]*)"', settings)[1]  # type: ignore[index]
        for variable in ("SITE_NAME", "ACCENT_COLOR", "DEFAULT_FROM_EMAIL")
    }
    after = dict(zip(before, (product.name, product.color, product.sender), strict=True))
    for variable, value in after.items():
        old = before[variable]
        replace(
            folder,
            "config/settings.py",
            f'{variable}", default="{old}',
            f'{variable}", default="{value}',
        )
        replace(folder, "deploy/compose.env", f"{{{variable}:-{old}}}", f"{{{variable}:-{value}}}")
        uncomment(folder, variable, value)
    uncomment(folder, "DEMO_USERS", "False")
    for name in ("app.json", ".devcontainer/devcontainer.json"):
        replace(folder, name, f'"name": "{before["SITE_NAME"]}"', f'"name": "{product.name}"')
    rename_compose_project(folder, slug(product.name))
    begin_readme(folder / "README.md", product)
    for name in ("README.md", "docs/api.md"):
        leave_out_demo_users(folder / name)
    (folder / "CHANGELOG.md").write_text(CHANGELOG.format(name=product.name), encoding="utf-8")


def rename_compose_project(folder: Path, name: str) -> None:
    """Set the name and subnet of the compose project. Two of the same name would share volumes."""
    digits = sha256(name.encode()).hexdigest()
    subnet = f"fd{digits[:2]}:{digits[2:6]}:{digits[6:10]}::/64"  # RFC 4193
    for file in ("docker-compose.yml", "docs/deployment.md", "docs/operations.md"):
        replace(folder, file, "fdc4:7b1e:5a92::/64", subnet)
    replace(folder, "docker-compose.yml", "name: token-blacklist\n", f"name: {name}\n")
    replace(folder, "docs/operations.md", "token-blacklist_default", f"{name}_default")


def begin_readme(path: Path, product: Product) -> None:
    """Write the product's introduction, and remove the sections about this project."""
    rest = path.read_text(encoding="utf-8").partition("## Start\n")[2]
    rest = re.sub(r"(?s)<!-- starter -->\n.*?<!-- /starter -->\n", "", rest)
    path.write_text(README.format(name=product.name) + "## Start\n" + rest, encoding="utf-8")


def leave_out_demo_users(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for demo, own in (
        (r"(?m)^  Sign in  .*$", "  Sign in  as the user you created"),
        (", creates demo users and serves", " and serves"),
        ("demo@example.com", "you@example.com"),
        ("demo-password", "your-password"),
        ('"name":"Demo"', '"name":"…"'),
    ):
        text = re.sub(demo, own, text)
    path.write_text(text, encoding="utf-8")


def replace(folder: Path, name: str, old: str, new: str) -> None:
    path = folder / name
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


def uncomment(folder: Path, variable: str, value: str) -> None:
    """Set a variable in .env.example, where its default is commented out."""
    path = folder / ".env.example"
    lines = re.sub(
        rf"(?m)^(?:# )?{variable}=.*$",
        lambda _line: f"{variable}={value}",
        path.read_text(encoding="utf-8"),
    )
    path.write_text(lines, encoding="utf-8")


def begin_key_set(folder: Path) -> None:
    """Create a key set with an EdDSA key, and use it in .env instead of JWT_SIGNING_KEY."""
    env = folder / ".env"
    line = f"JWT_KEYS_FILE={KEYS}"
    lines = re.sub(r"(?m)^JWT_SIGNING_KEY=.*$", line, env.read_text(encoding="utf-8"))
    env.write_text(lines, encoding="utf-8")
    variables = {"ENV_FILE": "", "DEBUG": "True", "JWT_KEYS_FILE": KEYS}
    command = [sys.executable, "manage.py", "rotatekeys", "--kind", "EdDSA"]
    subprocess.run(
        command, cwd=folder, env={**os.environ, **variables}, check=True, capture_output=True
    )


def begin_history(folder: Path, product: Product) -> None:
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    # The author is git's configured user, or a placeholder.
    nobody = ("-c", "user.name=make new", "-c", f"user.email={product.sender}")
    known = subprocess.run(["git", "config", "user.email"], capture_output=True, check=False)
    git(
        folder,
        *(() if known.returncode == 0 else nobody),
        "commit",
        "--quiet",
        "-m",
        f"Begin {product.name}",
    )


if __name__ == "__main__":
    main()
