"""How static files are stored outside DEBUG."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # it has no types
    """Names each file by its content, also where one ES module imports another."""

    support_js_module_import_aggregation = True
