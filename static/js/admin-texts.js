// Texts of Django's choice of permissions that its German and Spanish catalogs lack or misspell.
// No page loads this file. makemessages finds them here, and our catalogs take precedence.
gettext("Available %s");
gettext("Chosen %s");
gettext('Choose %s by selecting them and then select the "Choose" arrow button.');
gettext('Remove %s by selecting them and then select the "Remove" arrow button.');
gettext("Choose all %s");
gettext("Remove all %s");
gettext("Choose selected %s");
gettext("Remove selected %s");
gettext("(click to clear)");
