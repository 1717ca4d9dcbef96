"""The sites that are measured or compared: a settings module each, on what `base` gives to all."""
