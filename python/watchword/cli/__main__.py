"""``python -m watchword.cli``: the command line, if ``watchword`` is not on the path."""

import sys

from watchword.cli.command import main

sys.exit(main())
