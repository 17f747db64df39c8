"""``python -m watchword.cli``, for where the command is not on the path."""

import sys

from watchword.cli.command import main

sys.exit(main())
