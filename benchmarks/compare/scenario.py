"""The rows of docs/comparison.md: what is done, and the words for what happened.

Each row is done by new users, and each cell has at most eight words. A dash is a package that has
no refresh tokens, or nothing else that the row is about.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from benchmarks.sites import Server, run_python

from .clients import LAPTOP, NEW_PASSWORD, PHONE, Allauth, Client, Tokens
from .statements import NO_WORK, log_of, statements_of

NOTHING, NO_ENDPOINT = "—", "no such endpoint"
ROUNDS = 10  # of a race
REFRESHES = 10
EXPIRED = 20_000
T = TypeVar("T")


@dataclass
class Trial:
    """A served site, and the users that have done nothing yet."""

    client: Client
    server: Server
    users: Iterator[str]

    def sign_in(self) -> Tokens:
        return self.client.sign_in(next(self.users))

    def devices(self) -> tuple[str, Tokens, Tokens]:
        """Return a user's e-mail address, and the tokens of a laptop and a phone."""
        who = next(self.users)
        return who, self.client.sign_in(who, LAPTOP), self.client.sign_in(who, PHONE)

    def act(self, *arguments: str) -> str:
        """Run a command of `benchmarks.compare.act`; return the last line of its output."""
        printed = run_python(
            self.client.site, self.server, "-m", "benchmarks.compare.act", *arguments
        )
        return printed.strip().rpartition("\n")[2]

    def sql(self, statement: str) -> list[tuple[object, ...]]:
        return self.server.run(self.client.site.database, statement)

    def change_password(self, who: str, tokens: Tokens) -> None:
        """Change it by the package's endpoint, or else as Django's own form does."""
        if not self.client.change_password:
            self.act("password", who, NEW_PASSWORD)
        elif not (answer := self.client.change_password(tokens)).ok:
            raise RuntimeError(f"the new password was answered with {answer}")

    def access(self, tokens: Tokens) -> str:
        return "accepted" if self.client.me(tokens.access) else "refused"

    def refresh(self, tokens: Tokens) -> str:
        if not self.client.refreshes:
            return NOTHING
        return "accepted" if self.client.refresh(tokens.refresh) else "refused"

    def both(self, tokens: Tokens) -> str:
        if not self.client.refreshes:
            return self.access(tokens)
        refresh, access = self.refresh(tokens), self.access(tokens)
        return f"both {access}" if refresh == access else f"refresh {refresh}, access {access}"


def refreshed(trial: Trial, tokens: Tokens) -> Tokens:
    """Refresh; raise where the server refuses."""
    successor = trial.client.refresh(tokens.refresh)
    if successor is None:
        raise RuntimeError(f"{trial.client.title} refuses a refresh that it should accept")
    return successor


def at_once(count: int, prepare: Callable[[], Callable[[], T]]) -> list[T]:
    """Return the results of what `prepare` returns, called in many threads at the same moment.

    `prepare` is called in each thread before.
    """
    gate, results = threading.Barrier(count), list[T]()

    def run() -> None:
        call = prepare()
        gate.wait()
        results.append(call())

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def one_race(trial: Trial, clients: int) -> tuple[int, str]:
    """Refresh with one token from several clients at once; return the outcome and its rank."""
    tokens = trial.sign_in()
    won = [
        answer
        for answer in at_once(clients, lambda: lambda: trial.client.refresh(tokens.refresh))
        if answer
    ]
    if len(won) == clients and len(set(won)) == 1 and trial.client.me(won[0].access):
        return 0, "all get the same tokens"
    again = [answer for answer in won if trial.client.refresh(answer.refresh)]
    if not again:
        return 4, "user signed out"
    if len(again) > 1:
        return 3, f"{len(again)} sessions from one"
    lost = [answer for answer in won if answer not in again]
    if any(trial.client.me(answer.access) for answer in lost):
        return 2, "losers: access works, refresh refused"
    return 1, "one goes on; the others are refused"


def race(clients: int) -> Callable[[Trial], str]:
    def row(trial: Trial) -> str:
        if not trial.client.refreshes:
            return NOTHING
        outcomes = Counter(one_race(trial, clients) for _ in range(ROUNDS))
        (_rank, words), count = max(outcomes.items())
        return words if count == ROUNDS else f"{words} ({count} of {ROUNDS})"

    return row


def lost_answer(trial: Trial) -> str:
    if not trial.client.refreshes:
        return NOTHING
    first = trial.sign_in()
    lost = refreshed(trial, first)
    again = trial.client.refresh(first.refresh)
    if again:
        return "the same tokens again" if again == lost else "other tokens"
    is_live = trial.client.refresh(lost.refresh)
    return "refused; only the lost token works" if is_live else "refused; session ended"


def _replayed(trial: Trial) -> tuple[str, Tokens]:
    """Refresh twice, then send the first token again; return that answer and the newest tokens."""
    first = trial.sign_in()
    newest = refreshed(trial, refreshed(trial, first))
    return trial.refresh(first), newest


def reuse(trial: Trial) -> str:
    if not trial.client.refreshes:
        return NOTHING
    answer, newest = _replayed(trial)
    return f"{answer}; the newest is {trial.refresh(newest)}"


def reuse_access(trial: Trial) -> str:
    return trial.access(_replayed(trial)[1]) if trial.client.refreshes else NOTHING


def access_after_sign_out(trial: Trial) -> str:
    return _signed_out(trial, trial.access)


def refresh_after_sign_out(trial: Trial) -> str:
    return _signed_out(trial, trial.refresh)


def _signed_out(trial: Trial, ask: Callable[[Tokens], str]) -> str:
    if not trial.client.sign_out:
        return NO_ENDPOINT
    tokens = trial.sign_in()
    trial.client.sign_out(tokens)
    return ask(tokens)


def other_device(trial: Trial) -> str:
    if not trial.client.sign_out:
        return NO_ENDPOINT
    _who, laptop, phone = trial.devices()
    trial.client.sign_out(phone)
    stays = (
        trial.client.refresh(laptop.refresh) if laptop.refresh else trial.client.me(laptop.access)
    )
    return "stays signed in" if stays else "signed out too"


def everywhere(trial: Trial) -> str:
    if not trial.client.sign_out_everywhere:
        return NO_ENDPOINT
    _who, laptop, phone = trial.devices()
    trial.client.sign_out_everywhere(laptop)
    return trial.both(phone)


def access_after_password(trial: Trial) -> str:
    who, laptop, phone = trial.devices()
    trial.change_password(who, laptop)
    return trial.access(phone)


def refresh_after_password(trial: Trial) -> str:
    who, laptop, phone = trial.devices()
    if trial.client.refreshes:
        trial.change_password(who, laptop)
    return trial.refresh(phone)


def access_after_deactivation(trial: Trial) -> str:
    who, laptop, _phone = trial.devices()
    trial.act("deactivate", who)
    return trial.access(laptop)


def refresh_after_deactivation(trial: Trial) -> str:
    who, laptop, _phone = trial.devices()
    if trial.client.refreshes:
        trial.act("deactivate", who)
    return trial.refresh(laptop)


def without_record(trial: Trial) -> str:
    tokens = trial.sign_in()
    trial.sql(f"TRUNCATE {', '.join(trial.client.records)} CASCADE")
    return trial.refresh(tokens) if trial.client.refreshes else trial.access(tokens)


def listed(trial: Trial) -> str:
    if not trial.client.sessions:
        return NO_ENDPOINT
    _who, laptop, _phone = trial.devices()
    found = json.dumps(trial.client.sessions(laptop))
    return "User-Agent header, address" if LAPTOP in found else "device name, address, last refresh"


def ended_from_list(trial: Trial) -> str:
    if not trial.client.sessions:
        return NO_ENDPOINT
    _who, laptop, phone = trial.devices()
    trial.client.end_other(laptop)
    return trial.both(phone)


def ended_in_admin(trial: Trial) -> str:
    model, action = trial.client.admin
    who = next(trial.users)
    tokens = trial.client.sign_in(who)
    answer = trial.act("admin", who, model, action)
    if answer == "no such page":
        return answer
    if answer != "302":
        raise RuntimeError(f"the admin of {trial.client.title} answered {answer}")
    return trial.both(tokens)


def _tables(trial: Trial) -> list[str]:
    found = trial.sql("SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'")
    return [str(name) for (name,) in found if name != "django_migrations"]


def stored(trial: Trial) -> str:
    tokens = trial.sign_in()
    held = "\n".join(
        str(text)
        for table in _tables(trial)
        for (text,) in trial.sql(f"SELECT t::text FROM {table} t")
    )
    if tokens.access in held or (tokens.refresh and tokens.refresh in held):
        return "the whole token"
    if tokens.other in held and isinstance(trial.client, Allauth):
        works = trial.client.lets_in(tokens.other)
        return "session key, which signs in" if works else "session key"
    if hashlib.sha512(tokens.access.encode()).hexdigest() in held:
        return "its SHA-512 digest"
    claims = json.loads(base64.urlsafe_b64decode(tokens.refresh.split(".")[1] + "=="))
    return "its id" if claims["jti"] in held else "nothing of it"


def statements(trial: Trial, done: Callable[[], object]) -> str:
    """Count the statements of one call, without BEGIN and the like."""
    with statements_of(trial.server, trial.client.site.database) as read:
        done()
        sent = read()
    return str(sum(1 for each in sent if not NO_WORK.match(each)))


def warm(trial: Trial, tokens: Tokens) -> None:
    """Ask often enough that each thread of each worker has its connection.

    A new connection sends a statement of its own.
    """
    for _ in range(80):
        trial.client.me(tokens.access)


def refresh_statements(trial: Trial) -> str:
    if not trial.client.refreshes:
        return NOTHING
    tokens = trial.sign_in()
    warm(trial, tokens)
    return statements(trial, lambda: trial.client.refresh(tokens.refresh))


def request_statements(trial: Trial) -> str:
    tokens = trial.sign_in()
    warm(trial, tokens)
    return statements(trial, lambda: trial.client.me(tokens.access))


def sign_out_statements(trial: Trial) -> str:
    if not trial.client.sign_out:
        return NO_ENDPOINT
    tokens = trial.sign_in()
    warm(trial, tokens)
    return statements(trial, lambda: trial.client.sign_out(tokens))


def rows(trial: Trial) -> str:
    def count() -> int:
        return sum(int(trial.sql(f"SELECT count(*) FROM {t}")[0][0]) for t in _tables(trial))

    before = count()
    tokens = trial.sign_in()
    for _ in range(REFRESHES if trial.client.refreshes else 0):
        tokens = refreshed(trial, tokens)
    return str(count() - before)


def flush(trial: Trial) -> str:
    command = trial.client.flush
    if not command:
        return "no such command"
    table = trial.client.records[0]
    trial.sql(f"TRUNCATE {table} CASCADE")
    trial.sql(trial.client.expired_rows.format(count=EXPIRED))
    line = re.compile(
        rf'^<{trial.client.site.database}>LOG:  .*DELETE FROM "?{table}"? ', re.MULTILINE
    )
    with log_of(trial.server) as read:
        run_python(trial.client.site, trial.server, "-m", "django", command)
        sent = len(line.findall(read()))
    left = trial.sql(f"SELECT count(*) FROM {table}")[0][0]
    if left or not sent:
        raise RuntimeError(f"{command} left {left} rows, with {sent} statements")
    return f"`{command}`: {sent} {'statement' if sent == 1 else 'statements'}"


@dataclass(frozen=True)
class Row:
    title: str
    run: Callable[[Trial], str]
    by_option: bool = True  # whether it is run with the package's option as well


ROWS = (
    Row("Two tabs refresh at once", race(2), by_option=False),
    Row("Four clients refresh at once", race(4), by_option=False),
    Row("The response to a refresh is lost; the client sends it again", lost_answer),
    Row("A refresh token comes back, two refreshes later", reuse),
    Row("Access token of the session after that", reuse_access),
    Row("Refresh token after sign-out", refresh_after_sign_out),
    Row("Access token after sign-out", access_after_sign_out),
    Row("Sign-out on the phone: the laptop", other_device),
    Row("Sign-out everywhere: tokens of another device", everywhere),
    Row("List of my sessions", listed),
    Row("One session of the list is ended: its tokens", ended_from_list),
    Row("Password change: refresh token of another device", refresh_after_password),
    Row("Password change: access token of another device", access_after_password),
    Row("User deactivated: refresh token", refresh_after_deactivation),
    Row("User deactivated: access token", access_after_deactivation),
    Row("A session is ended in the admin: its tokens", ended_in_admin),
    Row("Session's record missing from the database: its token", without_record),
    Row("What the database holds of a token", stored),
    Row("Rows after sign-in and ten refreshes", rows),
    Row("SQL statements per refresh", refresh_statements),
    Row("SQL statements per authenticated request", request_statements),
    Row("SQL statements per sign-out", sign_out_statements),
    Row(f"Deleting {EXPIRED:,} expired rows", flush),
)
