"""Adding a revocation reason takes one line, in `BlacklistedToken.Reason`."""

from __future__ import annotations

import json

import pytest

from tests.support.checkout import copy_into, lend_packages, run
from tests.support.parts import only_with

pytestmark = [pytest.mark.process, pytest.mark.elsewhere]

MODELS = "token_blacklist/models.py"
LINE = 'API = "api", "#8a8f98", _("ended by the application")\n'
# The pages as a superuser sees them, after a session was ended for the new reason.
LOOK = """
import json
from datetime import timedelta
from django.test import Client
from django.utils import timezone
from accounts.models import User
from token_blacklist.sessions import end
from token_blacklist.models import OutstandingToken

admin = User.objects.create_superuser(email="admin@example.com", password="x")
OutstandingToken.objects.create(
    user=admin, session_id="a" * 32, expires_at=timezone.now() + timedelta(days=1)
)
end.revoke_user(admin, reason="lost")
client = Client(headers={"host": "localhost"})
client.force_login(admin)
print(json.dumps({
    "dashboard": client.get("/admin/").text,
    "sessions": client.get(
        "/admin/token_blacklist/outstandingtoken/", {"blacklistedtoken__reason__exact": "lost"}
    ).text,
    "records": client.get(
        "/admin/token_blacklist/blacklistedtoken/", {"reason__exact": "lost"}
    ).text,
    "metrics": client.get("/metrics", headers={"authorization": "Bearer " + "m" * 16}).text,
}))
"""


@pytest.fixture
def manage(tmp_path):
    folder = lend_packages(copy_into(tmp_path / "copy"))
    source = (folder / MODELS).read_text()
    new = 'LOST = "lost", "#123abc", _("device reported as lost")\n'
    assert LINE in source
    (folder / MODELS).write_text(source.replace(LINE, f"{LINE}        {new}"))

    def manage(*command):
        database = f"sqlite:///{tmp_path / 'db.sqlite3'}"
        variables = {"DEBUG": "True", "DATABASE_URL": database, "METRICS_TOKEN": "m" * 16}
        done = run(".venv/bin/python", "manage.py", *command, cwd=folder, **variables)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return manage


def test_a_reason_added_in_one_line_appears_everywhere(manage):
    assert "No changes detected" in manage("makemigrations", "--check", "--dry-run")
    manage("check", "--fail-level", "WARNING")
    manage("migrate", "--verbosity", "0")

    page = json.loads(manage("shell", "--no-imports", "-c", LOOK).splitlines()[-1])

    assert page["dashboard"].count('<rect fill="#123abc"') == 2  # the bar and the legend
    assert "1 device reported as lost" in page["dashboard"]
    for name in ("sessions", "records"):
        assert page[name].count("device reported as lost") >= 2  # the filter and the row
    for line in only_with("metrics", 'token_blacklisted_total{reason="lost"} 1.0'):
        assert line in page["metrics"]
