"""Start of the frozen application: what it is depends on the name it is called by.

`vereda-sync` is a second name of the program `vereda` on Linux and a second program on Windows;
one archive of modules serves both.
"""

import sys
from pathlib import Path


def _main() -> int:
    if Path(sys.argv[0]).stem == "vereda-sync":
        from sync_service.client.__main__ import main as sync  # noqa: PLC0415

        return sync()
    from desktop.app import main  # noqa: PLC0415

    return main()


sys.exit(_main())
