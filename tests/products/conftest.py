import pytest

from tests.support.product import new_product, new_source


@pytest.fixture(scope="session")
def source(tmp_path_factory):
    """A repository with the files of this working tree as v1.0.0."""
    return new_source(tmp_path_factory.mktemp("starter") / "source")


@pytest.fixture(scope="module")
def made(source, tmp_path_factory):
    """A product that no test changes."""
    return new_product(tmp_path_factory.mktemp("made") / "acme", source)
