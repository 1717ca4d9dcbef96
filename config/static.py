"""Static files storage outside DEBUG."""

from django.contrib.staticfiles.storage import staticfiles_storage
from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # it has no types
    """Adds a content hash to each file name, also in the imports between ES modules."""

    support_js_module_import_aggregation = True


NOT_COLLECTED = "The static files are not collected. Run: manage.py collectstatic --no-input"


def are_collected() -> bool:
    """Return whether collectstatic has run. Without its manifest, every page returns 500."""
    return bool(getattr(staticfiles_storage, "hashed_files", True))
