"""Texts to translate from the admin's theme, which has no translations, and from Django.

No code uses this module. makemessages finds the texts here and adds them to our catalogs, which
take precedence over those of the apps.
"""

from django.utils.translation import gettext_noop

DJANGO_TEXTS = (
    gettext_noop("%(app)s administration"),
    gettext_noop(
        'Are you sure you want to delete the %(object_name)s "%(escaped_object)s"? All of the '
        "following related items will be deleted:"
    ),
    gettext_noop("Close"),
    gettext_noop("Enter the same password as before, for verification."),
    gettext_noop("No, take me back"),
    gettext_noop("Yes, I’m sure"),  # noqa: RUF001  # its own apostrophe
)
THEME_TEXTS = (
    gettext_noop("After you've created a user, you’ll be able to edit more user options."),  # noqa: RUF001  # its own apostrophe
    gettext_noop("Dark"),
    gettext_noop("Disabled"),
    gettext_noop("Enabled"),
    gettext_noop("Go back"),
    gettext_noop("Light"),
    gettext_noop("No results found"),
    gettext_noop("Password-based authentication"),
    gettext_noop(
        "Raw passwords are not stored, so there is no way to see this user’s password, but you can "  # noqa: RUF001
        'change the password using <a href="{}" class="text-primary-600 dark:text-primary-500">'
        "this form</a>."
    ),
    gettext_noop("Reset filters"),
    gettext_noop("Run"),
    gettext_noop("Save and add another"),
    gettext_noop("Save and continue editing"),
    gettext_noop("Select action"),
    gettext_noop("Select action to run"),
    gettext_noop("Select all rows"),
    gettext_noop("Select record"),
    gettext_noop("This page yielded into no results. Create a new item or reset your filters."),
    gettext_noop("Type to search"),
    gettext_noop(
        "Whether the user will be able to authenticate using a password or not. If disabled, they "
        "may still be able to authenticate using other backends, such as Single Sign-On or LDAP."
    ),
)
