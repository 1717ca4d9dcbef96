"""The storage of the static files outside DEBUG."""

from django.contrib.staticfiles.storage import staticfiles_storage
from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # it has no types
    """Names each file by its content, also where one ES module imports another."""

    support_js_module_import_aggregation = True


NOT_COLLECTED = "The static files are not collected. Run: manage.py collectstatic --no-input"


def are_collected() -> bool:
    """Return whether collectstatic has run: without the manifest, every page is a 500."""
    return bool(getattr(staticfiles_storage, "hashed_files", True))
