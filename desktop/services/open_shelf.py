"""The shelf of a real device: the engine of this application, and trials in a process of its own.

One builder for the window, `vereda-sync` and `vereda bundle`. Imported where a model is needed:
it loads onnxruntime.
"""

from pathlib import Path

from ddx.engine import Engine
from desktop.frozen import self_test_command
from desktop.services.shelf import DeviceShelf
from desktop.settings import Settings
from model_bundles import embedded
from model_bundles.trial import Trial
from model_bundles.verify import Trust, open_verified


def open_shelf(
    data_dir: Path,
    settings: Settings,
    trust: Trust | None = None,
    repository: Path | None = None,
) -> DeviceShelf:
    """Open the bundles of a data directory and load the one that serves.

    trust, repository: another root and repository than the embedded ones (both or neither).

    Raises:
        BundleError: no bundle on this device verifies, the embedded one included.
    """
    root = trust or embedded.embedded_trust()
    shipped = repository or embedded.default_repository()
    return DeviceShelf(
        data_dir,
        Engine.from_artifacts,
        trust=root,
        open_embedded=lambda: open_verified(shipped, root),
        settings=settings,
        trial=Trial(self_test_command()),
    )
