"""The alerts, their runbooks and the dashboard agree with each other and with /metrics."""

import json
import re
import shutil
import subprocess

import pytest
import yaml

from tests.support import metrics
from tests.support.checkout import ROOT

FOLDER = ROOT / "deploy" / "monitoring"
RULES = yaml.safe_load((FOLDER / "alerts.yml").read_text(encoding="utf-8"))["groups"][0]["rules"]
DASHBOARD = json.loads((FOLDER / "dashboard.json").read_text(encoding="utf-8"))
RUNBOOKS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
EXPRESSIONS = [rule["expr"] for rule in RULES] + [
    target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]
]
PROMETHEUS_OWN = {"up", "instance", "job"}  # a series and labels that it adds by itself
REQUESTS = """
call_command("migrate", verbosity=0)
client.get("/login/")
print(read())
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """The samples of a site that has answered one request."""
    folder = tmp_path_factory.mktemp("monitored")
    site = metrics.environment(folder, f"sqlite:///{folder / 'db.sqlite3'}")
    return metrics.samples(site, REQUESTS)


def series(expression):
    """Yield (name, {label: value}) of each series that an expression reads."""
    bare = re.sub(r"\b(?:by|without)\s*\([^)]*\)", "", expression)
    for name, matchers in re.findall(r"([a-z_]+)\b(?!\s*\()(?:\{([^}]*)\})?", strip(bare)):
        if name not in {"and", "or", "unless", "offset"}:
            yield name, dict(re.findall(r'(\w+)="([^"]*)"', matchers))


def strip(expression):
    """Return it without what is no name: ranges and offsets, such as [5m] and 1d."""
    return re.sub(r"\[\w+\]|(?<!\")\b\d\w*", "", expression)


def labels_in(expression):
    for group in re.findall(r"\b(?:by|without)\s*\(([^)]*)\)", expression):
        yield from (label.strip() for label in group.split(","))


def test_series_are_read_from_an_expression():
    expression = 'sum by (le) (rate(a_total{code="5"}[5m])) > 10 * max(b offset 1d) and c == 0'

    assert list(series(expression)) == [("a_total", {"code": "5"}), ("b", {}), ("c", {})]


@pytest.mark.process
@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_each_expression_reads_what_metrics_gives(found, expression):
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


def test_prometheus_takes_the_rules():
    if promtool := shutil.which("promtool"):
        subprocess.run([promtool, "check", "rules", FOLDER / "alerts.yml"], check=True, timeout=60)
    for rule in RULES:
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}, rule["alert"]
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert re.fullmatch(r"\d+[mh]", rule.get("for", "1m"))
        assert rule["expr"].count("(") == rule["expr"].count(")")


def test_each_alert_has_a_runbook_of_its_name_and_each_runbook_an_alert():
    _before, _heading, section = RUNBOOKS.partition("\n## Alerts\n")
    runbooks = re.findall(r"(?m)^### (\w+)$", section.partition("\n## ")[0])

    assert runbooks == [rule["alert"] for rule in RULES]
    for rule in RULES:
        link = f"docs/operations.md#{rule['alert'].lower()}"
        assert rule["annotations"]["runbook_url"] == link


def test_the_configuration_names_the_rules_and_the_job_that_they_read():
    config = yaml.safe_load((FOLDER / "prometheus.yml").read_text(encoding="utf-8"))

    (scrape,) = config["scrape_configs"]
    assert config["rule_files"] == ["alerts.yml"]
    for expression in EXPRESSIONS:
        for name, labels in series(expression):
            assert name != "up" or labels == {"job": scrape["job_name"]}


def test_no_two_panels_lie_on_each_other():
    taken = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])
        }
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
