"""Names of permissions in the reader's language. Django stores them in English."""

from __future__ import annotations

from django import forms
from django.contrib.auth.models import Permission
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

VERBS = {"add": _("add"), "change": _("change"), "delete": _("delete"), "view": _("view")}
NAMES = (  # of User.Meta.permissions, for makemessages
    gettext_noop("Can send a link for a new password"),
    gettext_noop("Can remove the second factor of a user who lost it"),
)


class PermissionsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # none at run time
    """Permissions such as "Sessions | session | view"."""

    def label_from_instance(self, permission: Permission) -> str:
        verb, _separator, model = permission.codename.partition("_")
        is_djangos = verb in VERBS and model == permission.content_type.model
        what = VERBS[verb] if is_djangos else gettext(permission.name)
        return f"{permission.content_type} | {what}"
