"""Read the deployment files: compose, Dockerfile, crontab, systemd, platforms."""

from __future__ import annotations

import configparser
import json
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
SYSTEMD = ROOT / "deploy" / "systemd"
OURS = "${COMPOSE_PROJECT_NAME}-app"  # the image of the project in docker-compose.yml
# The short name of the project, which its systemd units and its user have.
NAME = next(SYSTEMD.glob("*-flush.timer")).name.removesuffix("-flush.timer")


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def procfile() -> dict[str, str]:
    lines = [line.partition(":") for line in text("Procfile").splitlines() if line.strip()]
    return {name.strip(): command.strip() for name, _colon, command in lines}


def crontab() -> tuple[list[str], str]:
    """Return the five fields and the command of its one job."""
    (line,) = (line for line in text("crontab").splitlines() if re.match(r"[\d*]", line))
    *fields, command = line.split(maxsplit=5)
    return fields, command


def compose() -> dict[str, Any]:
    return yaml.load(text("docker-compose.yml"), yaml.CSafeLoader)


def compose_env() -> dict[str, str]:
    """Return the variables that compose gives to the app, as they stand in its file."""
    lines = text("deploy/compose.env").splitlines()
    pairs = (line.partition("=") for line in lines if re.match("[A-Z]", line))
    return {name: value for name, _equals, value in pairs}


def render() -> dict[str, Any]:
    return yaml.load(text("deploy/render.yaml"), yaml.CSafeLoader)


def fly() -> dict[str, Any]:
    return tomllib.loads(text("deploy/fly.toml"))


def heroku() -> dict[str, Any]:
    return json.loads(text("app.json"))


def unit(name: str) -> configparser.ConfigParser:
    parser = configparser.RawConfigParser(strict=False, delimiters=("=",))
    parser.optionxform = str
    parser.read_string((SYSTEMD / name).read_text(encoding="utf-8"))
    return parser


def dockerfile() -> list[tuple[str, str]]:
    """Return its instructions in order, each with what follows it on its lines."""
    joined = re.sub(r"\\\n", " ", re.sub(r"(?m)^\s*#.*\n", "", text("Dockerfile")))
    lines = [line.split(maxsplit=1) for line in joined.splitlines() if line.strip()]
    return [(word.upper(), " ".join(rest.split())) for word, rest in lines]


def commands_of(document: str, heading: str) -> list[str]:
    """Return the blocks of commands below a heading of a document, in their order."""
    section = text(document).partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"(?s)```sh\n(.*?)```", section)


def docker_command() -> list[str]:
    """Return the default command of the image."""
    return json.loads(dict(dockerfile())["CMD"])


def commands() -> dict[str, list[str]]:
    """Return every command of the files, as {its place: its words}."""
    found: dict[str, Any] = {f"Procfile {name}": command for name, command in procfile().items()}
    found["Dockerfile"] = docker_command()
    healthcheck = re.search(r"CMD (\[.*\])", dict(dockerfile())["HEALTHCHECK"])
    found["Dockerfile healthcheck"] = json.loads(healthcheck[1])
    for name, service in compose()["services"].items():
        if service["image"] == OURS and "command" in service:
            found[f"compose {name}"] = service["command"]
    for path in SYSTEMD.glob("*.service"):
        for key in ("ExecStartPre", "ExecStart", "ExecStartPost"):
            if command := unit(path.name)["Service"].get(key):
                found[f"systemd {path.stem} {key}"] = command.replace("/app/.venv/bin/", "")
    for service in render()["services"]:
        for key in ("preDeployCommand", "dockerCommand"):
            if command := service.get(key):
                found[f"render {service['name']} {key}"] = command
    found["fly release"] = fly()["deploy"]["release_command"]
    for name, command in fly()["processes"].items():
        found[f"fly {name}"] = command
    return {
        place: shlex.split(command) if isinstance(command, str) else command
        for place, command in found.items()
    }


def variables() -> dict[str, set[str]]:
    """Return the environment variables that each file sets for the project."""
    groups = [group["envVars"] for group in render()["envVarGroups"]]
    services = [service.get("envVars", []) for service in render()["services"]]
    render_keys = {entry["key"] for group in groups + services for entry in group if "key" in entry}
    machine = re.findall(r"(?m)^([A-Z_]+)=", text("docs/deployment.md"))
    return {
        "compose": {*compose()["x-app"]["environment"], *compose_env()},
        "render": render_keys,
        "fly": set(fly()["env"]),
        "heroku": set(heroku()["env"]),
        "machine": set(machine),
    }
