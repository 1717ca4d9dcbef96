"""The site's own tests. `manage.py test` runs them, before the change and after it."""

from django.contrib.auth.models import Group, User
from django.urls import reverse
from rest_framework.test import APITestCase
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken


class TokenTests(APITestCase):
    def setUp(self):
        self.user = User.objects.create_user("ada", password="a long password")
        self.user.groups.add(Group.objects.create(name="buyers"))
        self.pair = self.post("token_obtain_pair", username="ada", password="a long password")
        self.client.credentials(HTTP_AUTHORIZATION=f"Bearer {self.pair['access']}")

    def post(self, name, status=200, **body):
        answer = self.client.post(reverse(name), body, format="json")
        self.assertEqual(answer.status_code, status, answer.content)
        return answer.json() if answer.content else None

    def test_the_answer_has_the_user_and_the_tokens_have_the_claims(self):
        self.assertEqual(self.pair["user"], {"id": self.user.pk, "username": "ada"})
        for token in (AccessToken(self.pair["access"]), RefreshToken(self.pair["refresh"])):
            self.assertEqual((token["username"], token["groups"]), ("ada", ["buyers"]))
        self.user.refresh_from_db()
        self.assertIsNotNone(self.user.last_login)

    def test_both_header_types_are_accepted(self):
        for kind in ("Bearer", "JWT"):
            self.client.credentials(HTTP_AUTHORIZATION=f"{kind} {self.pair['access']}")
            profile = self.client.get(reverse("profile")).json()
            self.assertEqual(profile, {"name": "ada", "groups": ["buyers"]})

    def test_a_wrong_password_is_401(self):
        self.client.credentials()
        self.post("token_obtain_pair", 401, username="ada", password="wrong")

    def test_a_refresh_gives_a_new_pair_with_the_claims(self):
        new = self.post("token_refresh", refresh=self.pair["refresh"])
        self.assertNotEqual(new["refresh"], self.pair["refresh"])
        self.assertEqual(AccessToken(new["access"])["groups"], ["buyers"])

    def test_an_old_refresh_token_is_refused(self):
        self.post("token_refresh", refresh=self.pair["refresh"])
        self.post("token_refresh", 401, refresh=self.pair["refresh"])

    def test_a_registration_signs_in(self):
        pair = self.post("register", 201, username="grace", password="a long password")
        self.post("token_verify", token=pair["access"])
        self.post("token_refresh", refresh=pair["refresh"])

    def test_after_the_logout_the_refresh_token_is_refused(self):
        self.post("logout", 205, refresh=self.pair["refresh"])
        self.assertEqual(BlacklistedToken.objects.filter(token__user=self.user).count(), 1)
        self.client.credentials()
        self.post("token_refresh", 401, refresh=self.pair["refresh"])

    def test_a_second_logout_is_400(self):
        self.post("logout", 205, refresh=self.pair["refresh"])
        self.post("logout", 400, refresh=self.pair["refresh"])

    def test_a_logout_everywhere_ends_all_tokens_of_the_user(self):
        other = self.post("token_obtain_pair", username="ada", password="a long password")
        self.assertEqual(OutstandingToken.objects.filter(user=self.user).count(), 2)
        self.post("logout_all", 205)
        for pair in (self.pair, other):
            self.post("token_refresh", 401, refresh=pair["refresh"])

    def test_an_inactive_user_is_refused(self):
        User.objects.update(is_active=False)
        self.assertEqual(self.client.get(reverse("profile")).status_code, 401)
        self.post("token_refresh", 401, refresh=self.pair["refresh"])
