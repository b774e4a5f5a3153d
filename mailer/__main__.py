"""The command `mailer`, and `python -m mailer`: where the process begins."""

import sys


def main() -> None:
    """Runs the command line and ends the process; Ctrl-C ends it without a traceback from the first import on."""
    try:
        from mailer.cli import main as run
    except KeyboardInterrupt:
        sys.exit(130)  # nothing was done
    run()


if __name__ == "__main__":
    main()
