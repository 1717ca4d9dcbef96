"""What is this product's own: the defaults of its variables."""

from django.utils.translation import gettext_lazy as _

SITE_NAME = "Token blacklist"
SITE_DESCRIPTION = _("One account for everything you do here.")  # one sentence, for visitors
ACCENT_COLOR = "#3b5bdb"  # of buttons and links
DEFAULT_FROM_EMAIL = "webmaster@localhost"
DEMO_USERS = True  # `make run` creates them
