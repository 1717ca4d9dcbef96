"""Querysets of a site: the default manager of its user model, and the sessions that it revokes."""

import pytest

pytestmark = [pytest.mark.process, pytest.mark.elsewhere]

USERS = """
from django.contrib.auth.models import AbstractUser, Group, UserManager
from django.db import models


class Team(models.Model):
    name = models.CharField(max_length=20)
    closed = models.BooleanField(default=False)


class Persons(UserManager):
    rows = ""  # the code that is tried

    def get_queryset(self):
        return eval("rows" + self.rows, globals(), {"rows": super().get_queryset()})


class Person(AbstractUser):
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.SET_NULL)
    bio = models.TextField(blank=True)
    deleted_at = models.DateTimeField(null=True)
    objects = Persons()
"""
ROWS = {
    "count": ".annotate(groups_count=models.Count('groups'))",
    "count and filter": ".annotate(n=models.Count('groups')).filter(n__gt=0)",
    "outer": ".filter(models.Q(team=None) | models.Q(team__closed=False))",
    "inner": ".filter(team__closed=False)",
    "many": ".filter(groups__name='g1')",
    "exclude": ".exclude(groups__name='banned')",
    "distinct": ".distinct()",
    "random": ".order_by('?')",
    "related": ".select_related('team').prefetch_related('groups')",
    "defer": ".defer('bio', 'password')",
    "window": ".annotate(n=models.Window(models.functions.RowNumber()))",
    "alias": ".alias(n=models.Count('groups')).filter(n__gt=1)",
    "exists": ".filter(models.Exists(Team.objects.filter(closed=False)))",
    "column": ".filter(deleted_at=None)",
    "filtered relation": ".annotate(g=models.FilteredRelation('groups')).filter(g__name='g1')",
}


TRY_ALL = """
    from django.contrib.auth.models import Group
    from people.models import Person, Persons, Team
    from token_blacklist import statements
    from token_blacklist.exceptions import AuthenticationFailed
    from token_blacklist.models import OutstandingToken
    from token_blacklist.sessions.end import revoke_user
    from token_blacklist.tokens import RefreshToken

    def with_manager(code, function):
        everybody = Person._base_manager.all()
        everybody.delete(), Team.objects.all().delete(), Group.objects.all().delete()
        OutstandingToken.objects.all().delete()
        ada = Person(username="ada", team=Team.objects.create(name="x"))
        ada.set_password("pw")
        ada.save()
        ada.groups.set([Group.objects.create(name="g1"), Group.objects.create(name="g2")])
        Persons.rows = code
        statements._forget()
        try:
            return function(ada)
        except Exception as error:
            return [repr(error)]
"""


def test_any_default_manager_of_the_users_works(new):
    host = new(models=USERS)

    (shown,) = host.run(
        TRY_ALL
        + f"""
    def session(ada):
        first = sign_in().json()
        repeated = refresh(first["refresh"]).json()
        pair = refresh(first["refresh"]).json()
        found = [repeated == pair, me(pair["access"]).status_code]
        found.append(post("token/verify/", token=pair["refresh"]).status_code)
        found += [sign_out(pair["refresh"]).status_code, me(pair["access"]).status_code]
        sign_in()
        found.append(OutstandingToken.objects.count())
        return [*found, revoke_user(Person.objects.all(), reason="admin")]
    show({{name: with_manager(code, session) for name, code in {ROWS!r}.items()}})
    """
    )

    expected = [True, 200, 200, 200, 401, 2, 1]
    assert {name: found for name, found in shown.items() if found != expected} == {}


def test_a_user_whom_the_default_manager_hides_is_refused(new):
    host = new(models=USERS)
    hiding = {name: ROWS[name] for name in ("column", "inner", "many", "count and filter")}

    (shown,) = host.run(
        TRY_ALL
        + f"""
    def hidden(ada):
        pair = sign_in().json()
        Person._base_manager.update(deleted_at=datetime.now(UTC))
        Team.objects.update(closed=True)
        Group.objects.all().delete()
        found = [Person.objects.count(), me(pair["access"]).status_code]
        found += [refresh(pair["refresh"]).json()["code"], sign_in().status_code]
        try:
            RefreshToken.for_user(ada)
        except AuthenticationFailed:
            return [*found, "refused"]
    show({{name: with_manager(code, hidden) for name, code in {hiding!r}.items()}})
    """
    )

    expected = [0, 401, "no_active_account", 401, "refused"]
    assert {name: found for name, found in shown.items() if found != expected} == {}


def test_revoke_sessions_takes_every_queryset(new):
    host = new(models=USERS)

    shown = host.run("""
        from django.contrib.auth.models import Group
        from django.db.models import Count, F, Q
        from people.models import Person
        from token_blacklist.models import OutstandingToken
        from token_blacklist.sessions.end import revoke_in_batches, revoke_sessions, revoke_user
        from token_blacklist.tokens import RefreshToken

        boss = new_user("boss", is_staff=True)
        ada = new_user("ada", email="ada@example.com")
        groups = [Group.objects.create(name=name) for name in ("g1", "g2")]
        ada.groups.set(groups)
        o = OutstandingToken.objects
        chosen = {
            "not of staff": lambda: o.exclude(user__is_staff=True),
            "excluded many": lambda: o.exclude(~Q(user__groups__name="g1")),
            "distinct": lambda: o.filter(user__groups__name__startswith="g").distinct(),
            "outer": lambda: o.exclude(user=boss).filter(
                Q(user__groups=None) | Q(user__groups=groups[0])
            ),
            "newest": lambda: o.order_by("-pk")[:1],
            "annotated": lambda: o.filter(user=ada).annotate(n=Count("user__groups")),
            "having": lambda: o.annotate(n=Count("user__groups")).filter(n=2),
            "related": lambda: o.filter(user=ada).select_related("user", "blacklistedtoken"),
            "values": lambda: o.filter(user=ada).values("session_id"),
            "or": lambda: o.filter(user=ada, generation=0) | o.filter(user__groups__name="g1"),
            "union": lambda: o.filter(user=ada).union(o.filter(user=ada, generation=1)),
            "intersection": lambda: o.all().intersection(o.filter(user=ada)),
            "of a manager": lambda: ada.outstandingtoken_set,
            "not blacklisted": lambda: o.filter(blacklistedtoken=None, user=ada),
            "in a subquery": lambda: o.filter(user__in=Person.objects.filter(groups__name="g2")),
        }
        users = {
            "users distinct": lambda: Person.objects.filter(groups__name__gt="g").distinct(),
            "users counted": lambda: Person.objects.annotate(n=Count("groups")).filter(n=2),
            "users union": lambda: Person.objects.filter(pk=ada.pk).union(Person.objects.none()),
            "users of a manager": lambda: groups[0].user_set,
            "users in a list": lambda: [ada],
            "users by keys": lambda: [ada.pk],
            "users by values": lambda: Person.objects.filter(pk=ada.pk).values_list("pk"),
            "a user": lambda: ada,
        }
        def opened():
            o.all().delete()
            RefreshToken.for_user(boss), RefreshToken.for_user(ada)
        def report(name, ended):
            if (ended, [each.user for each in o.live()]) != (1, [boss]):
                show(name, ended)
        for name, make in chosen.items():
            for revoke in (
                lambda rows: revoke_sessions(rows, reason="admin"),
                lambda rows: sum(revoke_in_batches(rows, reason="admin", batch_size=1)),
            ):
                opened()
                try:
                    report(name, revoke(make()))
                except Exception as error:
                    show(name, repr(error))
        for name, make in users.items():
            opened()
            try:
                report(name, revoke_user(make(), reason="admin"))
            except Exception as error:
                show(name, repr(error))
        opened()
        show(revoke_sessions(o.none(), reason="admin"))
    """)

    assert shown == [0]


def test_querysets_of_a_site_can_be_deleted(new):
    host = new()

    shown = host.run("""
        from django.db.models import Count
        from token_blacklist.models import BlacklistedToken, OutstandingToken
        from token_blacklist.tokens import RefreshToken

        ada, o = new_user(), OutstandingToken.objects
        for rows in (
            lambda: o.filter(user__username="ada"),
            lambda: o.filter(user__username="ada").distinct(),
            lambda: o.annotate(n=Count("user__groups")).filter(n=0),
            lambda: o.order_by("user__username"),
            lambda: o.exclude(user__is_staff=True),
            lambda: BlacklistedToken.objects.filter(token__user__username="ada").distinct(),
        ):
            RefreshToken.for_user(ada).blacklist()
            rows().delete()
            show(o.count() + BlacklistedToken.objects.count())
    """)

    assert shown == [0] * 6
