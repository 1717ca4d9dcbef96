"""The alerts, runbooks and dashboard are consistent with each other and with /metrics."""

import json
import re
import shutil
import subprocess

import pytest
import yaml

from tests.support import metrics
from tests.support.checkout import ROOT
from tests.support.migrated import migrated_database

FOLDER = ROOT / "deploy" / "monitoring"
RULES = yaml.safe_load((FOLDER / "alerts.yml").read_text(encoding="utf-8"))["groups"][0]["rules"]
DASHBOARD = json.loads((FOLDER / "dashboard.json").read_text(encoding="utf-8"))
RUNBOOKS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
EXPRESSIONS = [rule["expr"] for rule in RULES] + [
    target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]
]
PROMETHEUS_OWN = {"up", "instance", "job"}  # a series and labels that Prometheus adds
REQUESTS = """
client.get("/login/")
print(read())
"""


@pytest.fixture(scope="module")
def found(request, tmp_path_factory):
    """The samples of a site after one request."""
    folder = tmp_path_factory.mktemp("monitored")
    site = metrics.environment(folder, migrated_database(request, folder / "db.sqlite3"))
    return metrics.samples(site, REQUESTS)


def series(expression):
    """Yield (name, {label: value}) of each series that an expression reads."""
    bare = re.sub(r"\b(?:by|without)\s*\([^)]*\)", "", expression)
    for name, matchers in re.findall(r"([a-z_]+)\b(?!\s*\()(?:\{([^}]*)\})?", strip(bare)):
        if name not in {"and", "or", "unless", "offset"}:
            yield name, dict(re.findall(r'(\w+)="([^"]*)"', matchers))


def strip(expression):
    """Return the expression without ranges and offsets, such as [5m] and 1d."""
    return re.sub(r"\[\w+\]|(?<!\")\b\d\w*", "", expression)


def labels_in(expression):
    for group in re.findall(r"\b(?:by|without)\s*\(([^)]*)\)", expression):
        yield from (label.strip() for label in group.split(","))


@pytest.mark.process
@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_each_expression_uses_existing_metrics_only(found, expression):
    labels = set(PROMETHEUS_OWN)
    for name, wanted in series(expression):
        if name in PROMETHEUS_OWN:
            continue
        matching = [
            sample
            for sample in found
            if sample.name == name and sample.labels.items() >= wanted.items()
        ]
        assert matching, (name, wanted)
        labels.update(*(sample.labels for sample in matching))
    assert labels.issuperset(labels_in(expression))


def test_prometheus_accepts_the_rules():
    if promtool := shutil.which("promtool"):
        subprocess.run([promtool, "check", "rules", FOLDER / "alerts.yml"], check=True, timeout=60)
    for rule in RULES:
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}, rule["alert"]
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert re.fullmatch(r"\d+[mh]", rule.get("for", "1m"))
        assert rule["expr"].count("(") == rule["expr"].count(")")


def test_alerts_and_runbooks_correspond_by_name():
    _before, _heading, section = RUNBOOKS.partition("\n## Alerts\n")
    runbooks = re.findall(r"(?m)^### (\w+)$", section.partition("\n## ")[0])

    assert runbooks == [rule["alert"] for rule in RULES]
    for rule in RULES:
        link = f"docs/operations.md#{rule['alert'].lower()}"
        assert rule["annotations"]["runbook_url"] == link
