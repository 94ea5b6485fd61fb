# SPDX-License-Identifier: Apache-2.0
"""`python -m stoken.cli`: the command line without its script."""

import sys

from stoken.cli import main

sys.exit(main())
