"""Only whole, self-contained models are loaded, and only rows that fit them are run."""

import numpy as np
import pytest
from support.onnx_models import external_tensor, model
from support.tiny_patients import fit

from ddx.errors import ModelError
from ddx.inference.session import ModelSession


def test_self_contained_model_runs():
    """The stump says 3 up to 1.5 and 4 above."""
    session = ModelSession.from_bytes(model())
    assert (session.input_width, session.output_width) == (2, 1)
    rows = np.array([[1, 0], [2, 0]], dtype=np.float32)
    np.testing.assert_allclose(session.run(rows), [[3.0], [4.0]])


def test_model_with_data_in_another_file_is_refused(tmp_path, monkeypatch):
    """The file is there; whether the runtime would follow it must not decide."""
    (tmp_path / "w.bin").write_bytes(np.array([3, 4], dtype=np.float32).tobytes())
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match="outside"):
        ModelSession.from_bytes(model(initializers=[external_tensor("w.bin")]))


def test_an_output_of_another_shape_than_declared_is_a_model_error():
    with pytest.raises(ModelError):
        ModelSession.from_bytes(model(declared=5)).run(np.zeros((1, 2), dtype=np.float32))


@pytest.mark.parametrize("raw", [b"", b"not a model", b"\x08\x01" * 50])
def test_bytes_that_are_no_model_are_a_model_error(raw):
    with pytest.raises(ModelError):
        ModelSession.from_bytes(raw)


def test_truncated_model_is_a_model_error():
    whole = fit().onnx
    with pytest.raises(ModelError):
        ModelSession.from_bytes(whole[: len(whole) // 2])


def test_model_with_two_inputs_is_refused():
    with pytest.raises(ModelError):
        ModelSession.from_bytes(model(inputs=2))


@pytest.mark.parametrize(
    "rows",
    [
        np.zeros((1, 3), dtype=np.float32),
        np.zeros(2, dtype=np.float32),
        np.zeros((1, 2), dtype=np.float64),
    ],
    ids=["too wide", "one axis", "float64"],
)
def test_rows_that_do_not_fit_are_a_model_error(rows):
    session = ModelSession.from_bytes(model())
    with pytest.raises(ModelError):
        session.run(rows)
