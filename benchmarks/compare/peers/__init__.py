"""The alternatives' smallest sites: one settings module each, as their documentation has it."""
