"""The settings of a PostgreSQL connection."""

import pytest

from tests.support.start import settings_of


@pytest.mark.parametrize(
    ("given", "threshold"), [({}, 5), ({"DB_PREPARED_STATEMENTS": "no"}, None)]
)
def test_statements_are_prepared_unless_db_prepared_statements_is_no(
    production_env, given, threshold
):
    postgresql = {"DATABASE_URL": "postgres://user:password@host/name?connect_timeout=3"}

    options = settings_of(**production_env | postgresql | given).DATABASES["default"]["OPTIONS"]

    assert options["prepare_threshold"] == threshold
    assert options["connect_timeout"] == 3


@pytest.mark.parametrize(
    ("query", "milliseconds"), [("", 10_000), ("?tcp_user_timeout=30000", 30_000)]
)
def test_a_postgresql_connection_has_tcp_timeouts(production_env, query, milliseconds):
    url = {"DATABASE_URL": f"postgres://user:password@host/name{query}"}

    options = settings_of(**production_env | url).DATABASES["default"]["OPTIONS"]

    assert options["tcp_user_timeout"] == milliseconds
    assert options["keepalives_idle"] + 2 * options["keepalives_interval"] <= 20
