"""Sites with rate limits of Django REST framework for their own views."""

import pytest

pytestmark = [pytest.mark.process, pytest.mark.elsewhere]

DRF = {
    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.ScopedRateThrottle"],
    "DEFAULT_THROTTLE_RATES": {"contacts": "10/min"},
}
STATUSES = """
new_user()
show(*[sign_in().status_code for _attempt in range(3)])
pair = sign_in().json() if RATED == "no" else {"refresh": "x"}
show(refresh(pair["refresh"]).status_code)
"""


def test_without_a_rate_for_its_scopes_the_app_is_not_limited(new):
    host = new(REST_FRAMEWORK=DRF)

    assert host.run('RATED = "no"' + STATUSES) == [200, 200, 200, 200]


def test_with_a_rate_it_is_limited(new):
    host = new(REST_FRAMEWORK=DRF | {"DEFAULT_THROTTLE_RATES": {"login": "2/min"}})

    assert host.run('RATED = "yes"' + STATUSES) == [200, 200, 429, 401]


def test_a_throttle_with_rates_of_its_own_limits_the_app(new):
    throttle = """
        from rest_framework.throttling import ScopedRateThrottle

        class FromElsewhere(ScopedRateThrottle):
            def get_rate(self):
                return {"login": "2/min"}.get(self.scope)
    """
    host = new(
        files={"throttles.py": throttle},
        REST_FRAMEWORK=DRF | {"DEFAULT_THROTTLE_CLASSES": ["throttles.FromElsewhere"]},
    )

    assert host.run('RATED = "yes"' + STATUSES) == [200, 200, 429, 401]
