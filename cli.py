"""Run the command line from a checkout: `python cli.py link LIST REGISTRY --schema S`."""

import sys

from pprl.cli import main

if __name__ == "__main__":
    sys.exit(main())
