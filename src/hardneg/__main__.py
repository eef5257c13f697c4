"""``python -m hardneg``: the command line."""

import sys

from hardneg.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
