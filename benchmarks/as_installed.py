"""Import first: the process as a clinic has it, not as the machine of a developer has it.

Training and cloud bring packages that others try and go on without (`securesystemslib` tries
Azure's clients: 23 MB); no clinic installs them, and nothing that is measured here sees them.
"""

import sys

from desktop.thrift import read_no_sources
from installers.frozen.allowed import OPTIONAL, ROOMS

sys.modules.update(dict.fromkeys(OPTIONAL - ROOMS["desktop.app"]))
read_no_sources()  # as `desktop.app` does before it imports much
