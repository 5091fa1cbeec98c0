"""Files that stand elsewhere in the repository and must travel with the code: links here.

A wheel carries what they point to: the change control plan and the lock of the clinic's packages.
"""

from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
PLAN: Final = FOLDER / "pccp.yaml"
LOCK: Final = FOLDER / "clinic.txt"
