"""Start of the frozen `vereda-sync`."""

import sys

from sync_service.client.__main__ import main

sys.exit(main())
