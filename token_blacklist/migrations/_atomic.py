"""Records a migration in the transaction that makes its changes."""

from typing import Any

from django.db.migrations.operations.base import Operation


class RunDeferredSQL(Operation):
    """Send the statements that Django keeps for the end of the migration. The last operation.

    Django records a migration in its own transaction only if none are left; else after the commit,
    and one that is killed in between cannot be run again: its changes are there already.
    """

    reduces_to_sql = False
    reversible = True

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Change nothing."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        for statement in schema_editor.deferred_sql:
            schema_editor.execute(statement)
        schema_editor.deferred_sql.clear()

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        """Change nothing."""

    def describe(self) -> str:
        return "Send the deferred statements"
