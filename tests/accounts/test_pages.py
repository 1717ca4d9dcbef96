"""The pages, as the server sends them."""

import pytest

FOREIGN = [
    "//evil.example",
    r"/\evil.example",
    r"\evil.example",
    "/\t/evil.example",
    "https:evil.example",
    "https://evil.example/",
    "javascript:alert(1)",
    "account/",
    "",
]


@pytest.mark.parametrize("page", ["/login/", "/signup/"])
def test_the_way_between_signing_in_and_up_keeps_where_one_wanted_to_go(client, page):
    answer = client.get(page, {"next": "/reports/?year=2026&of=all"})

    assert '/?next=%2Freports%2F%3Fyear%3D2026%26of%3Dall"' in answer.text


@pytest.mark.parametrize("page", ["/login/", "/signup/"])
@pytest.mark.parametrize("wanted", FOREIGN)
def test_no_page_leads_to_another_site(client, page, wanted):
    answer = client.get(page, {"next": wanted})

    assert answer.status_code == 200
    assert "next=" not in answer.text
