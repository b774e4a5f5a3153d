"""Delivery: what is due goes out at the relay's pace, each outcome on disk before the next claim."""

from mailer.deliver.agenda import Job
from mailer.deliver.judge import Policy
from mailer.deliver.loop import Round, Tally
from mailer.deliver.pace import Pace, Window
from mailer.deliver.session import Compose
from mailer.deliver.setbacks import still_holds

__all__ = ["Compose", "Job", "Pace", "Policy", "Round", "Tally", "Window", "still_holds"]
