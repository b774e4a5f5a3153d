"""Markdown and Jinja2 templates, compiled once for each mailing and language, rendered into letters for contacts."""

from mailer.render.letters import Letters, compile_mailing, problems_of_texts

__all__ = ["Letters", "compile_mailing", "problems_of_texts"]
