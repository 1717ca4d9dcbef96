"""Models of a site beside the lists, and user models of all kinds."""

import pytest

from tests.support.host import URLS

pytestmark = [pytest.mark.process, pytest.mark.elsewhere]

BESIDE = """
from django.contrib.contenttypes.models import ContentType
from django.db import models


class Device(models.Model):
    session = models.OneToOneField("token_blacklist.OutstandingToken", on_delete=models.CASCADE)


class Ride(models.Model):
    device = models.ForeignKey(Device, null=True, on_delete=models.CASCADE)


class Note(models.Model):
    record = models.ForeignKey(
        "token_blacklist.BlacklistedToken", null=True, on_delete=models.SET_NULL
    )


class Case(models.Model):
    sessions = models.ManyToManyField("token_blacklist.OutstandingToken", related_name="+")


class Evidence(models.Model):
    session = models.ForeignKey("token_blacklist.OutstandingToken", on_delete=models.PROTECT)


class Proof(models.Model):
    device = models.ForeignKey(Device, on_delete=models.RESTRICT)
"""
EXPIRED = """
    from people.models import *
    from token_blacklist.models import BlacklistedToken, FlushRun, OutstandingToken
    from token_blacklist.sessions.flush import delete_expired

    ada = new_user()
    def session(name, year=2020):
        return OutstandingToken.objects.create(
            user=ada, session_id=name, expires_at=datetime(year, 1, 1, tzinfo=UTC)
        )
    def left():
        return sorted(each.session_id for each in OutstandingToken.objects.all())
"""


def test_the_flush_deletes_and_changes_what_a_site_has_beside_a_session(new):
    host = new(models=BESIDE)

    shown = host.run(
        EXPIRED
        + """
    old = session("old")
    Ride.objects.create(device=Device.objects.create(session=old))
    ended = BlacklistedToken.objects.create(token=session("ended"))
    Note.objects.create(record=ended)
    Case.objects.create().sessions.add(old)
    session("live", 2100)
    call_command("flushexpiredtokens", verbosity=0)
    show(left(), Device.objects.count(), Ride.objects.count(), BlacklistedToken.objects.count())
    show(Note.objects.filter(record=None).count(), Case.objects.get().sessions.count())
    run = FlushRun.objects.get()
    show(run.outcome, run.outstanding_deleted, run.blacklisted_deleted)
    """
    )

    assert shown == [["live"], 0, 0, 0, 1, 0, "done", 2, 1]


def test_the_flush_leaves_protected_sessions_and_deletes_all_others(new):
    host = new(models=BESIDE)

    shown = host.run(
        EXPIRED
        + """
    rows = [session(f"s{number:02}") for number in range(20)]
    for number in (0, 1, 2, 7):
        Evidence.objects.create(session=rows[number])
    Proof.objects.create(device=Device.objects.create(session=rows[9]))
    report = delete_expired(batch_size=3)
    show(left(), report.outstanding, report.outcome)
    show(delete_expired(batch_size=3).outstanding)
    Evidence.objects.all().delete()
    show(delete_expired(batch_size=3).outstanding, left())
    """
    )

    kept = ["s00", "s01", "s02", "s07", "s09"]
    assert shown == [kept, 15, "done", 0, 4, ["s09"]]


@pytest.mark.parametrize(
    "field",
    [
        "s = models.ForeignKey(OutstandingToken, models.SET_DEFAULT, default=None, null=True)",
        "",
    ],
    ids=["default", "a subclass"],
)
def test_the_flush_works_with_every_relation(new, field):
    imports = "from django.db import models\nfrom token_blacklist.models import OutstandingToken\n"
    base = "models.Model" if field else "OutstandingToken"
    host = new(models=f"{imports}class A({base}):\n    {field or 'label = models.TextField()'}\n")

    shown = host.run(
        EXPIRED
        + """
    old = session("old")
    if issubclass(A, OutstandingToken):
        A.objects.create(session_id="sub", expires_at=datetime(2020, 1, 1, tzinfo=UTC))
    else:
        A.objects.create(s=old)
    show(delete_expired().outcome, left())
    rows = A.objects.exclude(s=None) if hasattr(A, "s") else A.objects.all()
    show(rows.count())
    """
    )

    assert shown == ["done", [], 0]


def test_receivers_of_deletions_are_called_by_the_flush(new):
    host = new(models="from django.db import models\nclass Note(models.Model):\n    pass")

    shown = host.run(
        EXPIRED
        + """
    from django.db.models.signals import post_delete
    gone = []
    def collect(instance, **kwargs):
        gone.append(instance.session_id)
    post_delete.connect(collect, sender=OutstandingToken)
    session("old"), session("older"), session("live", 2100)
    show(delete_expired().outstanding, sorted(gone))
    """
    )

    assert shown == [2, ["old", "older"]]


BARE = """
from django.db import models


class Persons(models.Manager):
    def get_by_natural_key(self, name):
        return self.get(name=name)

    def create_user(self, name, password=None):
        return self.create(name=name)


class Person(models.Model):
    name = models.CharField(max_length=20, unique=True)
    objects = Persons()
    is_anonymous, is_authenticated = False, True
    USERNAME_FIELD, REQUIRED_FIELDS = "name", []
"""
NULL_PASSWORD = """
from django.contrib.auth.models import AbstractUser
from django.db import models


class Person(AbstractUser):
    password = models.CharField(max_length=128, null=True)
"""
BY_HAND = """
    from token_blacklist.models import OutstandingToken
    from token_blacklist.sessions.end import revoke_user
    from token_blacklist.tokens import RefreshToken

    users = get_user_model().objects
    ada = new_user() if MAKE else users.create(username="ada")
    token = RefreshToken.for_user(ada)
    pair = refresh(token).json()
    show(me(pair["access"]).status_code, sign_out(pair["refresh"]).status_code)
    show(me(pair["access"]).status_code)
    RefreshToken.for_user(users.get())
    show(revoke_user(users.get(), reason="admin"))
"""
WITHOUT_ADMIN = {
    "INSTALLED_APPS": [
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "rest_framework",
        "token_blacklist",
        "people",
    ],
    "urls": URLS.replace("from django.contrib import admin\n", "").replace(
        '    path("admin/", admin.site.urls),\n', ""
    ),
}


@pytest.mark.parametrize(
    ("models", "more", "make"),
    [
        (BARE, WITHOUT_ADMIN, True),
        (NULL_PASSWORD, {}, False),
    ],
    ids=["no base class of Django", "no password in the column"],
)
def test_a_user_without_a_password_gets_a_session(new, models, more, make):
    host = new(models=models, TOKEN_BLACKLIST={"UPDATE_LAST_LOGIN": True}, **more)

    assert host.run(BY_HAND.replace("MAKE", str(make))) == [200, 200, 401, 1]


NUMBER = """
from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models


class Persons(UserManager):
    def create_user(self, number, password=None, **fields):
        person = self.model(number=number, **fields)
        person.set_password(password)
        person.save()
        return person

    create_superuser = create_user


class Person(AbstractUser):
    username = None
    number = models.PositiveIntegerField(unique=True)
    objects = Persons()
    USERNAME_FIELD, REQUIRED_FIELDS = "number", []

    def __str__(self):
        return f"no. {self.number}"
"""


def test_a_number_as_the_login_works_and_anything_else_is_refused(new):
    host = new(models=NUMBER)

    shown = host.run("""
        new_user(4711)
        def with_login(number):
            return post("token/", number=number, password="pw")
        show(with_login(4711).status_code, with_login("4711").status_code)
        for other in ("ada", "1.5", "²", "-1", "9" * 30, "9" * 5000, " ", "4711x", "NaN"):
            show(with_login(other).status_code)
        show(with_login("ada").json()["code"])
    """)

    statuses, code = shown[:-1], shown[-1]
    assert statuses[:2] == [200, 200]
    assert set(statuses[2:]) <= {400, 401}
    assert code == "no_active_account"


def test_the_admin_and_the_commands_find_users_with_a_number_as_their_login(new):
    host = new(models=NUMBER)

    shown = host.run("""
        from django.core.management import CommandError
        from django.test.utils import setup_test_environment

        setup_test_environment()
        new_user(4711)
        with_login = post("token/", number=4711, password="pw")
        root = get_user_model().objects.create_superuser(1, "pw", is_staff=True, is_superuser=True)
        client.force_login(root)
        for term in ("4711", "ada", "9" * 30, "@", "1.5", "4711 iPhone"):
            page = client.get("/admin/token_blacklist/outstandingtoken/", {"q": term})
            show(page.status_code, len(page.context["cl"].result_list))
        try:
            call_command("endsessions", user="ada", verbosity=0)
        except CommandError as error:
            show(str(error))
        call_command("endsessions", user="4711", verbosity=0)
        from token_blacklist.models import OutstandingToken
        show(OutstandingToken.objects.live().count())
    """)

    assert shown[:-2] == [200, 1, *[200, 0] * 5]
    assert shown[-2:] == ["--user does not match any user.", 0]


TEXT_ID = """
from django.contrib.auth.models import AbstractUser
from django.db import models


class Person(AbstractUser):
    code = models.CharField(max_length=300, unique=True, null=True)
"""


def test_every_text_that_the_column_holds_is_an_id(new):
    host = new(models=TEXT_ID, TOKEN_BLACKLIST={"USER_ID_FIELD": "code"})

    shown = host.run(r"""
        codes = ["plain", "a b", " a ", "a\u00adb", "ä/ö", "x" * 300, "a\u00a0b", "a\tb", "a\nb"]
        codes += ["\u0645\u06cc\u200c\u062e", "\U0001f600", "01", "true", "None", "null", "\u202ea"]
        for number, code in enumerate(codes):
            new_user(f"u{number}", code=code)
            pair = sign_in(username=f"u{number}").json()
            pair = refresh(pair["refresh"]).json()
            show(me(pair["access"]).status_code == sign_out(pair["refresh"]).status_code == 200)
    """)

    assert shown == [True] * 16


def test_a_user_without_an_id_is_refused_at_the_sign_in(new):
    host = new(models=TEXT_ID, TOKEN_BLACKLIST={"USER_ID_FIELD": "code"})

    shown = host.run("""
        from token_blacklist.models import OutstandingToken

        new_user(code=None), new_user("bob", code="")
        show(sign_in().status_code, sign_in(username="bob").status_code)
        show(OutstandingToken.objects.count())
    """)

    assert shown == [401, 401, 0]


BY_EMPLOYEE = """
from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models


class Employee(models.Model):
    number = models.IntegerField(primary_key=True)


class Persons(UserManager):
    def create_user(self, name, **fields):
        employee = Employee.objects.create(number=4711)
        return super().create_user(name, employee=employee, **fields)


class Person(AbstractUser):
    employee = models.OneToOneField(Employee, models.CASCADE, primary_key=True)
    objects = Persons()
"""
OF_TWO_TABLES = """
from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models


class Account(AbstractUser):
    pass


class Person(Account):
    label = models.CharField(max_length=9)
    objects = UserManager()
"""


@pytest.mark.parametrize("models", [BY_EMPLOYEE, OF_TWO_TABLES])
def test_the_primary_key_of_every_user_model_is_an_id(new, models):
    host = new(models=models, TOKEN_BLACKLIST={"USER_ID_FIELD": "pk"})

    shown = host.run("""
        from django.core.checks import run_checks
        from token_blacklist.sessions.end import revoke_user

        show([message.id for message in run_checks() if "token_blacklist" in message.id])
        ada = new_user()
        pair = sign_in().json()
        repeated = refresh(pair["refresh"]).json()
        pair = refresh(pair["refresh"]).json()
        show(repeated == pair, me(pair["access"]).json()["user"] == str(ada.pk))
        show(sign_out(pair["refresh"]).status_code, me(pair["access"]).status_code)
        sign_in()
        show(revoke_user(ada, reason="admin"))
    """)

    assert shown == [[], True, True, 200, 401, 1]


def test_a_token_with_a_key_that_no_column_holds_is_refused(new):
    host = new(models=BY_EMPLOYEE, TOKEN_BLACKLIST={"USER_ID_FIELD": "employee"})

    shown = host.run("""
        from token_blacklist.tokens import RefreshToken

        new_user()
        token = RefreshToken(sign_in().json()["refresh"])
        show(token["user_id"], me(token.access_token).status_code)
        for key in (2**31, 2**63, 10**30, -(2**70)):
            token["user_id"] = str(key)
            show(me(token.access_token).status_code, refresh(token).status_code)
    """)

    assert shown == ["4711", 200, *[401, 401] * 4]
