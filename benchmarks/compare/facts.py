"""What the packages have, by their documentation, metadata or source. Nothing of this is run."""

from .scenario import NOTHING

# In the order of `clients.CLIENTS`: this project, Simple JWT, django-jwt-allauth, knox, allauth
# headless, REST framework's authtoken.
FACTS = {
    "Form": (
        "a project to copy, and a package",
        "package",
        "package, project template",
        "package",
        "package",
        "part of REST framework",
    ),
    "First release": ("2026", "2017", "2025", "2015", "2011", "with REST framework"),
    "Home": (NOTHING, "Jazzband", "one author", "Jazzband", "author and contributors", "Encode"),
    "Works without REST framework": (NOTHING, NOTHING, NOTHING, NOTHING, "has", NOTHING),
    "Sign-up": ("by allauth", NOTHING, "has", NOTHING, "has", NOTHING),
    "E-mail verification": ("by allauth", NOTHING, "has", NOTHING, "has", NOTHING),
    "Password reset by e-mail": ("by allauth", NOTHING, "has", NOTHING, "has", NOTHING),
    "Social sign-in": ("by allauth", NOTHING, "has", NOTHING, "has", NOTHING),
    "Second factor": (
        "by allauth: TOTP, recovery codes, WebAuthn",
        NOTHING,
        "TOTP, recovery codes",
        NOTHING,
        "TOTP, recovery codes, WebAuthn",
        NOTHING,
    ),
    "Passkeys": ("by allauth", NOTHING, NOTHING, NOTHING, "has", NOTHING),
    "OpenID Connect provider": (NOTHING, NOTHING, NOTHING, NOTHING, "has", NOTHING),
    "Invitations": (NOTHING, NOTHING, "has", NOTHING, NOTHING, NOTHING),
    "Sign-in pages without a front end": ("has", NOTHING, NOTHING, NOTHING, "has", NOTHING),
    "Deployment, health checks, metrics": ("has", NOTHING, NOTHING, NOTHING, NOTHING, NOTHING),
}
