"""Operating a compose project on a real engine, step by step: `make compose-test`.

The project runs in a copy of the checkout, under a name of its own and without a file of the
developer's. It uses the engine, Compose and images of `docker`, and the ports 80 and 443.
The commands of the documents are read from the documents.
"""

from __future__ import annotations

import http.client
import json
import re
import ssl
import subprocess
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import deployment as files
from tests.support.checkout import bare_environment, copy_into
from tests.support.deployment import NAME
from tests.support.production import SIGN_UP

PASSWORD = "a long and good password"
CLIENTS = 8
AT_ONCE = 16


class Compose:
    """A compose project, and a client of it that trusts Caddy's own authority."""

    def __init__(self, folder: Path) -> None:
        self.folder = copy_into(folder)
        self.env = bare_environment(
            ACCOUNTS_ALLOW_SIGNUP="True",
            COMPOSE_PROJECT_NAME="compose-test",
            IPV6_SUBNET="fd5e:57ab:1e00::/64",
            ACCOUNT_EMAIL_VERIFICATION="none",  # no mail server receives the codes
        )
        self.tls: ssl.SSLContext | None = None

    def run(self, script: str, *, ok: bool = True, seconds: float = 580) -> str:
        """Run shell commands in the project's folder; return both of their outputs."""
        done = subprocess.run(
            ["sh", "-euc", script],
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds,
            check=False,
        )
        assert (done.returncode == 0) == ok, done.stdout[-4000:]
        return done.stdout

    def trust_caddy(self) -> None:
        root = "/data/caddy/pki/authorities/local/root.crt"
        self.run(f"docker compose cp caddy:{root} root.crt")
        self.tls = ssl.create_default_context(cafile=str(self.folder / "root.crt"))

    def connect(self) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection("localhost", context=self.tls, timeout=60)

    def call(self, path: str, body=None, *, access: str = "", connection=None):
        """Send a request; return its status and its JSON, or None."""
        ours = connection or self.connect()
        headers = {"Content-Type": "application/json"}
        if access:
            headers["Authorization"] = f"Bearer {access}"
        data = None if body is None else json.dumps(body)
        ours.request("GET" if body is None else "POST", path, data, headers)
        response = ours.getresponse()
        text = response.read()
        if connection is None:
            ours.close()
        is_json = response.headers.get("Content-Type", "").startswith("application/json")
        return response.status, json.loads(text) if is_json and text else None

    def sign_up(self, email: str) -> int:
        return self.call(SIGN_UP, {"email": email, "password": PASSWORD})[0]

    def sign_in(self, email: str):
        status, pair = self.call("/api/token/", {"email": email, "password": PASSWORD})
        assert status == 200, pair
        return pair

    def states(self) -> dict[str, dict]:
        """Return what the engine knows of each container, by its service."""
        names = self.run("docker compose ps --all --quiet").split()
        found = json.loads(self.run(f"docker inspect {' '.join(names)}"))
        label = "com.docker.compose.service"
        return {container["Config"]["Labels"][label]: container for container in found}

    def follow(self, heading: str, **replace: str) -> str:
        """Run the commands below a heading of docs/operations.md that concern compose."""
        out = ""
        for block in files.commands_of("docs/operations.md", heading):
            if not block.startswith("docker compose"):
                continue
            script = block
            for old, new in replace.items():
                script = re.sub(old, new, script)
            out += self.run(script)
        return out


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    project = Compose(tmp_path_factory.mktemp("project"))
    clean = "docker compose down --volumes --remove-orphans --timeout 5"
    project.run(clean)
    yield project
    project.run(clean)


@contextmanager
def load(site):
    """Refresh 8 sessions without a pause, and count the responses by status.

    Each client keeps its connection, as browsers do. A request without a response is "lost".
    """
    counts: Counter[int | str] = Counter()
    stop = threading.Event()
    failures: list[object] = []

    def client(number: int) -> None:
        pair, connection = site.sign_in(f"load-{number}@example.com"), site.connect()
        while not stop.is_set():
            refresh = {"refresh": pair["refresh"]}
            try:
                status, got = site.call("/api/token/refresh/", refresh, connection=connection)
            except (OSError, http.client.HTTPException) as error:
                status, got = "lost", error
            counts[status] += 1
            if status == 200:
                pair = got
                continue
            failures.append(got)
            connection.close()
            connection = site.connect()
        connection.close()

    threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    time.sleep(2)
    try:
        yield counts
        time.sleep(2)
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=70)
    print(f"{counts.total()} POSTs: {dict(counts)} {failures[:3]}")
    assert set(counts) == {200}, (counts, failures[:3])
    assert counts[200] > 100


def test_everything_starts_and_is_healthy_without_an_edited_file(site):
    site.run("docker compose up --build --detach --wait")

    for name, container in site.states().items():
        state = container["State"]
        if name in {"keys", "migrate"}:
            assert (state["Status"], state["ExitCode"]) == ("exited", 0), name
        else:
            assert state["Status"] == "running", name
            assert state.get("Health", {"Status": "healthy"})["Status"] == "healthy", name
    volumes = site.run(
        "docker volume ls --quiet --filter label=com.docker.compose.project=compose-test"
    )
    assert len(volumes.split()) == 4  # no anonymous volume, which each start would create
    site.trust_caddy()


def test_a_client_signs_up_and_in_refreshes_and_signs_out(site):
    assert site.sign_up("ada@example.com") == 200
    pair = site.sign_in("ada@example.com")
    assert site.call("/api/me/", access=pair["access"])[1]["email"] == "ada@example.com"

    status, after = site.call("/api/token/refresh/", {"refresh": pair["refresh"]})
    assert status == 200
    assert site.call("/api/token/blacklist/", {"refresh": after["refresh"]})[0] == 200

    assert site.call("/api/me/", access=after["access"])[0] == 401
    assert site.call("/api/token/refresh/", {"refresh": after["refresh"]})[0] == 401
    assert site.call("/metrics")[0] == site.call("/health/ready/")[0] == 404


def test_a_setting_in_env_production_takes_effect(site):
    (site.folder / ".env.production").write_text("RATE_LIMITS=False\nSITE_NAME='Acme & Sons'\n")

    site.run("sh deploy/update.sh")

    printed = site.run("docker compose exec -T web printenv SITE_NAME")
    assert printed == "Acme & Sons\n"
    for number in range(AT_ONCE):
        assert site.sign_up(f"load-{number}@example.com") == 200


def test_no_post_is_lost_while_web_restarts(site):
    with load(site):
        site.run("docker compose restart web")


def test_no_post_is_lost_during_an_update(site):
    with (site.folder / "static/css/site.css").open("a") as file:
        file.write("/* The next version. */\n")
    before = site.states()["web"]["Id"]

    with load(site):
        site.run("sh deploy/update.sh")

    assert site.states()["web"]["Id"] != before


@pytest.mark.parametrize(
    ("path", "text", "sentence"),
    [
        (".env.production", "LOG_FORMAT=xml\n", "LOG_FORMAT must be line or json."),
        (".env.production", "WEB_CONCURRENCY=two\n", "WEB_CONCURRENCY must be a whole number"),
        (".env.production", "SECRET_KEY=x\n", "SECRET_KEY is set, and SECRET_KEY_FILE, too."),
        ("deploy/Caddyfile", "localhost {\n", "Caddyfile"),
        (
            "accounts/migrations/9999_wrong.py",
            "raise RuntimeError('This migration fails.')\n",
            "This migration fails.",
        ),
    ],
)
def test_an_update_that_fails_leaves_the_old_version_serving(site, path, text, sentence):
    file = site.folder / path
    before = file.read_text() if file.exists() else None
    file.write_text((before or "") + text)
    container = site.states()["web"]["Id"]

    with load(site):
        out = site.run("sh deploy/update.sh", ok=False)
    file.unlink() if before is None else file.write_text(before)

    assert sentence in out
    assert "Not updated: the previous version is still serving." in out
    assert site.states()["web"]["Id"] == container


def test_a_key_is_rotated_and_revoked_as_the_document_says(site):
    user = "load-0@example.com"
    before = site.sign_in(user)
    rotate = "docker compose run --rm --user 10001 keys python manage.py rotatekeys"
    assert f"\n{rotate}\n" in files.text("docs/operations.md")

    out = site.run(f"{rotate} --in 0")
    time.sleep(3)
    after = site.sign_in(user)

    assert "EdDSA key" in out
    assert kid(before) != kid(after)
    assert site.call("/api/me/", access=before["access"])[0] == 200
    out = site.follow("A key leaked", **{"<KID>": kid(before)})
    assert f"Revoked {kid(before)}." in out
    assert site.call("/api/me/", access=before["access"])[0] == 401
    assert site.call("/api/me/", access=after["access"])[0] == 200


def kid(pair) -> str:
    from jwt import get_unverified_header

    return get_unverified_header(pair["access"])["kid"]


def test_sign_ins_at_once_stay_below_the_limit_of_memory(site):
    with ThreadPoolExecutor(AT_ONCE) as pool:
        users = [f"load-{number}@example.com" for number in range(AT_ONCE)] * 3
        pairs = list(pool.map(site.sign_in, users))
    peak = site.run("docker compose exec -T web cat /sys/fs/cgroup/memory.peak || true", ok=True)

    print("memory.peak:", peak)
    web = site.states()["web"]
    assert len(pairs) == 3 * AT_ONCE
    assert web["State"]["OOMKilled"] is False
    assert web["RestartCount"] == 0


def test_a_backup_is_restored_as_the_document_says(site):
    site.follow("A backup", **{f"/var/backups/{NAME}": "copies"})
    dumps = sorted(path.name for path in (site.folder / "copies").glob("*.dump"))
    site.sign_up("later@example.com")

    site.follow("A restore", **{r"2026-01-31T120000Z\.dump": dumps[-1]})
    out = site.run(
        "docker compose run --rm -T migrate python manage.py endsessions --before 2100-01-01"
    )
    site.run("docker compose up --detach --wait")

    assert re.search(r"Revoked \d+ sessions\.", out)
    later = {"email": "later@example.com", "password": PASSWORD}
    assert site.call("/api/token/", later)[0] == 401
    site.sign_in("ada@example.com")


def test_a_stop_is_quick_and_kills_nothing(site):
    began = time.monotonic()
    site.run("docker compose stop")
    seconds = time.monotonic() - began

    codes = {name: found["State"]["ExitCode"] for name, found in site.states().items()}
    print(f"stopped in {seconds:.1f} s: {codes}")
    assert 137 not in codes.values(), codes
    assert seconds < 5


def test_down_and_up_keep_all_data(site):
    site.run("docker compose down")
    site.run("docker compose up --detach --wait")

    site.sign_in("ada@example.com")


def test_lost_keys_are_repaired_as_the_document_says(site):
    (copy,) = re.findall(r"\(umask 077; docker compose run .*\)", files.text("docs/operations.md"))
    site.run(copy)
    site.run("docker compose down; docker volume rm compose-test_keys")
    site.run("docker compose up --detach --wait", ok=False)

    site.follow("The keys are lost")

    site.sign_in("ada@example.com")
    assert "jwt/keys.json" in site.run("tar --list --file keys.tar")


@pytest.mark.parametrize("names", ["localhost,www.localhost", "localhost, www.localhost"])
def test_two_names_may_have_a_space_between_them_or_none(site, names):
    site.env["SITE_ADDRESS"] = names
    site.run("docker compose up --detach --wait")

    for host in ("localhost", "www.localhost"):
        site.run(
            f"curl --silent --show-error --fail --cacert root.crt --resolve {host}:443:127.0.0.1 "
            f"--output /dev/null https://{host}/login/"
        )
