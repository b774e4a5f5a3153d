"""Personal invitations to missions and organisations, from the staff's spreadsheets to logged deliveries."""

__all__ = ["__version__"]


def __getattr__(name: str) -> str:
    # Looked up on demand: reading the distribution's metadata is file work, and an import does none.
    if name == "__version__":
        from importlib.metadata import version

        return version("invitation-mailer")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
