"""The command `mailer`, and `python -m mailer`: where the process begins."""

import signal
import sys


def main() -> None:
    """Runs the command line and ends the process; Ctrl-C ends it without a traceback from the first import on.

    So do a shutdown and a terminal that is closed, unless whoever started us wants us to go on in spite of them.
    """
    try:
        for name in ("SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            if number and signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, signal.default_int_handler)
        from mailer.cli import main as run
    except KeyboardInterrupt:
        sys.exit(130)  # nothing was done
    run()


if __name__ == "__main__":
    main()
