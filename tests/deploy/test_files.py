"""The deployment files are consistent with the project and with each other."""

import re

import pytest

from tests.support import deployment as files
from tests.support.checkout import VARIABLES

GUNICORNS = {"WEB_CONCURRENCY"}  # what config/gunicorn.conf.py reads


def test_every_variable_that_a_file_sets_is_one_that_the_project_reads():
    for place, names in files.variables().items():
        assert names, place
        unknown = {name.removesuffix("_FILE") for name in names} - VARIABLES - GUNICORNS
        assert not unknown, place


@pytest.mark.parametrize("place", ["compose", "render", "heroku", "machine"])
def test_every_deployment_sets_the_required_variables(place):
    names = {name.removesuffix("_FILE") for name in files.variables()[place]}

    key = "JWT_KEYS" if place == "compose" else "JWT_SIGNING_KEY"
    assert names >= {"SECRET_KEY", key, "ALLOWED_HOSTS", "EMAIL_URL", "NUM_PROXIES"}


def test_every_schedule_runs_the_flush_daily_at_an_odd_minute():
    (minute, hour, *rest), command = files.crontab()
    (timer,) = files.SYSTEMD.glob("*.timer")
    calendar = files.unit(timer.name)["Timer"]
    (cron,) = (service for service in files.render()["services"] if service["type"] == "cron")

    assert 0 <= int(hour) < 24
    assert int(minute) % 2 == 1
    assert rest == ["*", "*", "*"]
    assert "%" not in command  # cron treats it as a line end
    assert calendar["OnCalendar"] == f"*-*-* {int(hour):02}:{int(minute):02}:00 UTC"
    assert calendar["Persistent"] == "true"
    assert cron["schedule"] == f"{minute} {hour} * * *"
    assert (files.SYSTEMD / f"{timer.stem}.service").exists()


def test_every_systemd_unit_has_a_description_folders_and_restrictions():
    for path in files.SYSTEMD.glob(f"{files.NAME}*"):
        unit = files.unit(path.name)
        assert unit["Unit"]["Description"], path.name
        service = unit["Service"] if path.suffix == ".service" else {}
        if service and "failed@" not in path.name:
            assert service["StateDirectory"] == service["CacheDirectory"] == files.NAME
            assert service["StateDirectoryMode"] == service["CacheDirectoryMode"] == "0750"
            assert service["WorkingDirectory"] == "/app"
            assert service["User"] not in {"root", ""}
            assert service["ProtectSystem"] == "strict"


def test_a_failed_flush_starts_the_unit_that_reports_it():
    flush = files.unit(f"{files.NAME}-flush.service")["Unit"]
    name, at, instance = flush["OnFailure"].partition("@")

    assert (files.SYSTEMD / f"{name}{at}.service").exists()
    assert instance == "%p.service"
    assert "%i" in files.unit(f"{name}{at}.service")["Service"]["ExecStart"]


def test_every_schedule_of_the_flush_includes_clearsessions():
    flush = files.unit(f"{files.NAME}-flush.service")["Service"]
    (cron,) = (service for service in files.render()["services"] if service["type"] == "cron")
    schedules = [
        files.crontab()[1],
        files.text("deploy/scheduler.sh"),
        cron["dockerCommand"],
        f"{flush['ExecStart']} && {flush['ExecStartPost']}",
    ]

    for schedule in schedules:
        assert re.search(r"flushexpiredtokens.* && .*clearsessions", schedule)


class TestCompose:
    services = files.compose()["services"]

    def test_only_the_proxy_is_reached_from_outside(self):
        assert [name for name, service in self.services.items() if "ports" in service] == ["caddy"]

    def test_contains_no_secret(self):
        text = files.text("docker-compose.yml") + files.text("deploy/compose.env")

        assert not re.search(
            r"(?i)(password|secret_key|signing_key)\w*[:=]\s*(?!/run/keys)\S", text
        )
        given = [service.get("environment", {}) for service in self.services.values()]
        for variables in (*given, files.compose_env()):
            for name, value in variables.items():
                if re.search("KEY|PASSWORD|DATABASE_URL|CACHE_URL", name):
                    assert name.endswith("_FILE")
                    assert value.startswith("/run/keys/")

    def test_the_cache_has_a_password(self):
        assert self.services["valkey"]["command"][:2] == ["valkey-server", "/run/keys/valkey.conf"]
        assert files.compose_env()["CACHE_URL_FILE"] == "/run/keys/cache_url"

    def test_the_proxy_postgresql_and_valkey_have_separate_networks_with_web(self):
        networks = files.compose()["networks"]
        alone = [self.services[name]["networks"] for name in ("caddy", "postgres", "valkey")]

        assert alone == [["default"], ["database"], ["cache"]]
        assert self.services["web"]["networks"] == ["default", "database", "cache"]
        for name in ("migrate", "scheduler", "backup"):
            assert self.services[name]["networks"] == ["database"]
        assert networks["database"] == networks["cache"] == {"internal": True}

    @pytest.mark.parametrize("name", services)
    def test_each_service_has_limits_and_may_not_gain_privileges(self, name):
        service = self.services[name]

        assert service["logging"]["options"] == {"max-size": "10m", "max-file": "5"}
        assert re.fullmatch(r"\d+m|\$\{\w+_MEMORY:-\d+m\}", service["mem_limit"])
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["cap_drop"] == ["ALL"]

    def test_the_proxy_sees_the_ipv6_address_of_each_client(self):
        """Without IPv6 in its network, Docker relays such clients from one address of its own."""
        networks = files.compose()["networks"]

        for name in self.services["caddy"].get("networks", ["default"]):
            assert networks[name]["enable_ipv6"] is True

    @pytest.mark.parametrize("name", ["migrate", "web", "scheduler"])
    def test_the_app_is_unprivileged_and_has_a_read_only_file_system(self, name):
        service = self.services[name]

        assert service["read_only"] is True
        assert service["tmpfs"] == ["/tmp"]  # for example of the metrics
        assert "user" not in service  # the image's unprivileged user
        assert dict(files.dockerfile())["USER"] == "10001"

    def test_only_the_keys_service_can_write_keys(self):
        writing = [n for n, s in self.services.items() if "keys:/run/keys" in s.get("volumes", [])]

        assert writing == ["keys"]

    def test_every_mounted_volume_and_folder_exists(self):
        volumes = files.compose()["volumes"]
        for service in self.services.values():
            for mount in service.get("volumes", []):
                source = mount.partition(":")[0]
                # The container would keep the former version of a file that git replaces.
                assert source in volumes or (files.ROOT / source).is_dir(), mount


def test_dockerignore_keeps_what_the_image_needs_and_excludes_secrets():
    ignored = files.text(".dockerignore").split()

    for needed in ("accounts", "config", "deploy", "static", "templates", "requirements.txt"):
        assert needed not in ignored
        assert (files.ROOT / needed).exists()
    assert {"**/.env*", ".git", "tests"} <= set(ignored)
