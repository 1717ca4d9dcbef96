"""The account page: what was done is said in view, and sessions can be told apart."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

PHONE = "Mozilla/5.0 (iPhone) Version/17.0 Safari/604.1"


@pytest.fixture
def on_a_phone(others):
    return others(viewport={"width": 360, "height": 740})


def test_what_a_button_did_is_said_in_view(on_a_phone, user, device_of):
    assert device_of(user, PHONE).log_in().status_code == 200
    on_a_phone.sign_in(user)

    on_a_phone.sessions.get_by_role("button", name="Sign out").click()

    words = on_a_phone.page.get_by_text("Signed out: ")
    expect(words).to_be_in_viewport(ratio=1)
    on_a_phone.page.mouse.wheel(0, -5000)
    expect(words).to_be_in_viewport(ratio=1)


@pytest.mark.expects("status of 401")
def test_what_a_form_did_is_said_at_its_button(on_a_phone, user):
    on_a_phone.sends_credentials(user.email, "wrong")

    alert, button = (on_a_phone.page.get_by_role(role) for role in ("alert", "main"))
    expect(alert).to_be_in_viewport(ratio=1)
    above = alert.bounding_box()
    below = button.get_by_role("button", name="Sign in").bounding_box()
    assert 0 < below["y"] - (above["y"] + above["height"]) < 40
