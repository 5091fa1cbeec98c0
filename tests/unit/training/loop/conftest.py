"""One finished retraining in miniature, shared: it takes seconds to make."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

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


@pytest.fixture
def receiver():
    """Return (address, received, answers): a server on loopback that answers as told."""
    received, answers = [], []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append((self.path, json.loads(body)))
            self.send_response(answers.pop(0) if answers else 202)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", received, answers
    server.shutdown()
    server.server_close()
