"""One finished retraining in miniature, shared: it takes seconds to make."""

import optuna
import pytest
from support import tiny_loop

from model_bundles import compression
from training.evaluate import report
from training.pipelines import golden


@pytest.fixture(scope="session", autouse=True)
def _small():
    """Few golden cases and light compression: what they hold is the same."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(golden, "COMMON_CASES", 2)
        patch.setattr(golden, "RARE_CASES", 2)
        patch.setattr(compression, "LEVEL", 1)
        patch.setattr(report, "WEIGHED_CASES", 10)
        yield


@pytest.fixture(scope="session")
def lake(tmp_path_factory):
    return tiny_loop.lake(tmp_path_factory.mktemp("lake"))


@pytest.fixture(scope="session")
def finished(lake, tmp_path_factory):
    """Return the outcome of a run that nothing interrupted."""
    folder = tmp_path_factory.mktemp("runs") / "retrain-20261126T100000Z"
    return tiny_loop.retraining(folder, lake).run()
