"""Run the command line from a checkout: `python cli.py link LIST REGISTRY --schema S`."""

from pprl.cli import entry

if __name__ == "__main__":
    entry()
