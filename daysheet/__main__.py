"""`python -m daysheet`: the command line."""

import sys

from daysheet.config.cli import main

sys.exit(main())
