"""The API conforms to its OpenAPI description: schemathesis with all checks."""

from __future__ import annotations

import json
import os

import pytest
from django.core.handlers.wsgi import WSGIHandler
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, assume, given, settings

from tests.support.devices import Device
from tests.support.factories import UserFactory

pytestmark = pytest.mark.slow

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "20"))
OPERATIONS = [
    (path, method.upper())
    for path, operations in SchemaGenerator().get_schema(public=True)["paths"].items()
    for method in operations
]
# What makes a good password, or the right one, no schema can say: 400 with a reason. Nor that a
# body without a refresh token needs the cookie, or that a DELETE needs the password.
RULED = {
    "/api/me/",
    "/api/password/change/",
    "/api/token/refresh/",
    "/api/token/blacklist/",
}


@pytest.fixture
def api():
    import schemathesis  # slow to import

    return schemathesis.openapi.from_dict(SchemaGenerator().get_schema(public=True))


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_response_conforms_to_the_openapi_description(transactional_db, api, path, method):
    api.app = WSGIHandler()
    device = Device(UserFactory())

    if path in RULED:
        api.config.checks.positive_data_acceptance.expected_statuses.append("400")

    @given(case=api[path][method].as_strategy())
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    def check(case):
        assume("\\u0000" not in json.dumps(case.body, default=str))  # 400, with tests of its own
        device.log_in()
        case.call_and_validate(
            base_url="http://testserver", headers={"Authorization": f"Bearer {device.access}"}
        )

    check()
