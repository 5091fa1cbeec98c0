"""`python -m model_bundles.authoring`: the same as `vereda-keys`."""

import sys

from model_bundles.authoring.commands import main

if __name__ == "__main__":
    sys.exit(main())
