"""`python -m infra_advisor` is the command `advisor`."""

from infra_advisor.cli.app import main

if __name__ == "__main__":
    main()
