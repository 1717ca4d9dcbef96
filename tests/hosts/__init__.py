"""The app in other projects: their code, settings, packages and databases."""
