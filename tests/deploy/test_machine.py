"""The commands of docs/deployment.md for a server of your own, run in order.

Paths, the user and the port are replaced; what changes the system is recorded instead of run.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import deployment as files
from tests.support.checkout import bare_environment, copy_into
from tests.support.deployment import NAME
from tests.support.production import answers, runs, started, wait_for
from tests.support.server import free_port

pytestmark = pytest.mark.process

GIT = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
# What would change the system: each call is a line in a file.
STAND_INS = {
    "useradd": "",
    "systemctl": "",
    "crontab": "",
    "runuser": 'while [ "$1" != -- ]; do shift; done; shift; exec "$@"',
    # The packages are those of the tests, to avoid a download.
    "python3": f"""
if [ "$1 $2" != "-m venv" ]; then exec {sys.executable} "$@"; fi
mkdir "$3" && cd "$3" && ln -s {sys.prefix}/bin {sys.prefix}/lib {sys.prefix}/pyvenv.cfg .
""",
}


class Machine:
    """Folders that replace /app, /etc and /var, and a repository to clone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.app = folder / "app"
        self.origin = folder / "origin"
        self.log = folder / "log"
        for name in ("bin", "etc/systemd/system", "var/lib", "var/cache", "origin"):
            (folder / name).mkdir(parents=True)
        for name, body in STAND_INS.items():
            script = folder / "bin" / name
            script.write_text(f'#!/bin/sh\necho {name} "$@" >>{self.log}\n{body}\n')
            script.chmod(0o755)
        copy_into(self.origin)
        self.commit("init", "--quiet")

    def commit(self, *before: str) -> None:
        for words in (before, ["add", "--all"], ["commit", "--quiet", "--message=A version"]):
            if words:
                subprocess.run([*GIT, *words], cwd=self.origin, env=bare_environment(), check=True)

    def placed(self, text: str) -> str:
        text = re.sub(r"(?<![\w./])/(app|etc|var)\b", rf"{self.folder}/\1", text)
        text = re.sub(r"(sqlite:///)/var", rf"\1{self.folder}/var", text)
        return re.sub(r"-o \S+ -g \S+ ", "", text).replace("<your repository>", str(self.origin))

    def run(self, script: str, cwd: Path | None = None, **env: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            ["/bin/sh", "-eu", "-c", self.placed(script)],
            cwd=cwd or self.folder,
            env=bare_environment(PATH=f"{self.folder}/bin:{os.environ['PATH']}", **env),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def follow(self, heading: str, document: str = "docs/deployment.md") -> list[str]:
        """Run all blocks of a section in one shell; return the recorded commands."""
        blocks = "".join(files.commands_of(document, heading))
        self.log.write_text("")
        done = self.run(
            blocks.replace("createsuperuser", "createsuperuser --no-input"),
            # pip prints what it would install, without the network.
            PIP_DRY_RUN="1",
            PIP_NO_INDEX="1",
            DJANGO_SUPERUSER_EMAIL="staff@example.com",
            DJANGO_SUPERUSER_PASSWORD="a long and good password",
        )
        assert done.returncode == 0, done.stderr
        assert "Would install" not in done.stdout
        return self.log.read_text().splitlines()

    def unit(self, name: str, key: str) -> list[str]:
        """Return a command of an installed unit."""
        return shlex.split(self.placed(files.unit(name)["Service"][key]))

    def environment(self) -> dict[str, str]:
        """Return what systemd gives to a unit, for its EnvironmentFile."""
        lines = (self.folder / f"etc/{NAME}.env").read_text().splitlines()
        return {
            "PATH": "/usr/bin:/bin",
            **dict(line.split("=", 1) for line in lines),
        }

    def python(self, code: str) -> str:
        """Run code with the project's settings; return what it prints."""
        imports = "from token_blacklist.tokens import AccessToken"
        done = subprocess.run(
            [".venv/bin/python", "manage.py", "shell", "--no-imports", "-c", f"{imports}; {code}"],
            cwd=self.app,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def stylesheet(self) -> str:
        manifest = json.loads((self.app / "staticfiles/staticfiles.json").read_text())
        return manifest["paths"]["css/site.css"]

    def flushes(self) -> int:
        return runs(self.environment()["DATABASE_URL"])


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    """A machine after the document's first section."""
    machine = Machine(tmp_path_factory.mktemp("machine"))
    machine.recorded = machine.follow("A machine of your own")
    return machine


def test_the_documented_commands_set_up_a_machine_from_scratch(machine):
    called = [line.split()[0] for line in machine.recorded]

    assert called.index("useradd") < called.index("runuser") < called.index("systemctl")
    assert f"systemctl enable --now {NAME}.service {NAME}-flush.timer" in (machine.recorded)
    assert machine.recorded[-1] == f"crontab -u {NAME} crontab"
    assert machine.stylesheet() != "css/site.css"
    assert (machine.folder / f"var/lib/{NAME}/db.sqlite3").exists()
    assert not (machine.app / "db.sqlite3").exists()
    assert (machine.folder / f"etc/{NAME}.env").stat().st_mode & 0o777 == 0o640


def test_the_web_service_serves_and_reloads(machine):
    port = str(free_port())
    command = machine.unit(f"{NAME}.service", "ExecStart")
    command = [word.replace("127.0.0.1:8000", f"127.0.0.1:{port}") for word in command]

    with started(command, machine.app, machine.environment()) as server:
        wait_for(lambda: answers(f"http://127.0.0.1:{port}"))
        before = children(server.pid)
        # PATH is empty: `kill` is a command of the shell, also where /bin/kill is not installed.
        reload = machine.unit(f"{NAME}.service", "ExecReload")
        subprocess.run(reload, env={"PATH": "", "MAINPID": str(server.pid)}, check=True)
        wait_for(lambda: children(server.pid) and not children(server.pid) & before)
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=30)

    assert server.returncode == 0


def children(pid: int) -> set[str]:
    return set(Path(f"/proc/{pid}/task/{pid}/children").read_text().split())


def test_the_flush_unit_flushes_and_clears_sessions(machine):
    before = machine.flushes()

    for key in ("ExecStart", "ExecStartPost"):
        command = machine.unit(f"{NAME}-flush.service", key)
        subprocess.run(command, cwd=machine.app, env=machine.environment(), check=True)

    assert machine.flushes() == before + 1


def from_cron(machine, **env):
    """Run the line of the crontab as cron does: with /bin/sh and a minimal environment."""
    return subprocess.run(
        ["/bin/sh", "-c", files.crontab()[1]],
        cwd=machine.folder,
        env={"PATH": "/usr/bin:/bin", "SHELL": "/bin/sh", "HOME": "/", "LOGNAME": "x", **env},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_cron_flushes_with_its_own_environment(machine):
    before = machine.flushes()

    done = from_cron(machine, APP_HOME=str(machine.app))

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert machine.flushes() == before + 1


def test_a_failed_flush_prints_its_error_for_cron_to_mail(machine):
    done = from_cron(
        machine, APP_HOME=str(machine.app), DATABASE_URL="sqlite:////nowhere/x.sqlite3"
    )

    assert done.returncode == 1
    assert "Database error: " in done.stderr


def test_the_programs_of_the_installed_units_exist(machine):
    units = (machine.folder / "etc/systemd/system").iterdir()
    text = machine.placed("".join(path.read_text() for path in units))

    programs = re.findall(r"(?m)^Exec\w+=(\S+)", text)
    assert len(programs) >= 5
    assert [name for name in programs if not shutil.which(name)] == []


def test_moving_to_a_key_set_keeps_existing_tokens_valid(machine):
    before = machine.python("print(AccessToken())")

    recorded = machine.follow("Moving to a key set", "docs/operations.md")

    file = machine.folder / f"var/lib/{NAME}/keys.json"
    kinds = [key["alg"] for key in json.loads(file.read_text())["keys"]]
    assert kinds == ["HS256", "EdDSA"]
    assert file.stat().st_mode & 0o777 == 0o600
    assert machine.environment()["JWT_KEYS_FILE"] == str(file)
    assert recorded[-1] == f"systemctl restart {NAME}.service"
    assert machine.python(f"print(AccessToken({before!r})['token_type'])") == "access"


def test_an_upgrade_collects_static_files_and_migrates_before_the_restart(machine):
    before = machine.stylesheet()
    with (machine.origin / "static/css/site.css").open("a") as file:
        file.write("/* A new version. */\n")
    machine.commit()

    recorded = machine.follow("A new version")

    assert machine.stylesheet() != before
    migrate, *systemd = recorded
    assert migrate.startswith(f"runuser -u {NAME} -- .venv/bin/python manage.py migrate")
    assert systemd == ["systemctl daemon-reload", f"systemctl reload {NAME}.service"]
