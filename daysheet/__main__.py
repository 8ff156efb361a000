"""`python -m daysheet`: the command line, without an installed script."""

from daysheet.config.cli import main

main()
