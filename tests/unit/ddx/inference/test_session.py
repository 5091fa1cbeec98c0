"""Only whole, self-contained models are loaded, and only rows that fit them are run."""

import numpy as np
import pytest
from onnx import TensorProto, helper
from support.tiny_patients import fit

from ddx.errors import ModelError
from ddx.inference.session import ModelSession


def linear_model(weight, *, inputs=1):
    names = [f"x{i}" for i in range(inputs)]
    node = helper.make_node("MatMul", ["x0", "w"], ["y"])
    graph = helper.make_graph(
        [node],
        "g",
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["n", 2]) for n in names],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 1])],
        [weight],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model.SerializeToString()


def inline_weight():
    return helper.make_tensor("w", TensorProto.FLOAT, [2, 1], [3.0, 4.0])


def test_self_contained_model_runs():
    session = ModelSession.from_bytes(linear_model(inline_weight()))
    assert (session.input_width, session.output_width) == (2, 1)
    np.testing.assert_allclose(session.run(np.array([[1, 2]], dtype=np.float32)), [[11.0]])


def test_model_with_data_in_another_file_is_refused(tmp_path, monkeypatch):
    """The file is there; whether the runtime would follow it must not decide."""
    (tmp_path / "w.bin").write_bytes(np.array([3, 4], dtype=np.float32).tobytes())
    monkeypatch.chdir(tmp_path)
    weight = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[2, 1])
    weight.data_location = TensorProto.EXTERNAL
    weight.external_data.add(key="location", value="w.bin")
    with pytest.raises(ModelError, match="outside"):
        ModelSession.from_bytes(linear_model(weight))


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
        ModelSession.from_bytes(linear_model(inline_weight(), inputs=2))


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
    session = ModelSession.from_bytes(linear_model(inline_weight()))
    with pytest.raises(ModelError):
        session.run(rows)
