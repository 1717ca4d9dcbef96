"""What is this product's own: the defaults of its variables."""

SITE_NAME = "Token blacklist"
ACCENT_COLOR = "#3b5bdb"  # of buttons and links
DEFAULT_FROM_EMAIL = "webmaster@localhost"
DEMO_USERS = True  # `make run` creates them
