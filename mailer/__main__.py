"""`python -m mailer`: the same as the command `mailer`."""

from mailer.cli import main

if __name__ == "__main__":
    main()
