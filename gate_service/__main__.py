"""`python -m gate_service` is the `gate` command."""

from gate_service.cli.app import main

main()
