"""What the runtime is never shown."""

import random

import pytest
from onnx import TensorProto, helper
from support.onnx_models import external_tensor, model, stump, value
from support.tiny_patients import fit

from ddx.errors import ModelError
from ddx.inference import onnx_guard
from model_bundles.embedded import open_embedded_bundle


def test_the_models_that_ship_pass():
    bundle = open_embedded_bundle()
    checked = [name for name in bundle.members if name.endswith(".onnx")]
    for name in checked:
        onnx_guard.check(bundle.read(name))
    assert len(checked) >= 1


def test_what_training_exports_passes():
    onnx_guard.check(fit().onnx)
    onnx_guard.check(model())


def inner_graph():
    node = helper.make_node("Identity", ["x0"], ["z"])
    return helper.make_graph([node], "inner", [], [value("z", 2)])


def identity_function():
    return helper.make_function(
        "custom", "f", ["a"], ["b"], [helper.make_node("Identity", ["a"], ["b"])],
        [helper.make_opsetid("", 17)],
    )  # fmt: skip


def constant(tensor):
    return helper.make_node("Constant", [], ["c"], value=tensor)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (model([helper.make_node("Expand", ["x0", "x0"], ["y"])]), "Expand"),
        (model([helper.make_node("Loop", ["x0"], ["y"], body=inner_graph())]), "graph inside"),
        (model([helper.make_node("If", ["x0"], ["y"], then_branch=inner_graph())]), "graph inside"),
        (model([helper.make_node("Identity", ["x0"], ["y"])]), "Identity"),
        (model([helper.make_node("X", ["x0"], ["y"], domain="com.microsoft")]), "microsoft"),
        (model([helper.make_node("TreeEnsembleRegressor", ["x0"], ["y"])]), "not allowed"),
        (model([stump(), constant(external_tensor("/etc/passwd"))]), "outside"),
        (model(initializers=[external_tensor("../w.bin")]), "outside"),
        (model([stump(targets=10**9)], declared=1), "values a case"),
        (model([stump(output=f"y{n}") for n in range(9)]), "9 nodes"),
        (model(functions=[identity_function()]), "functions"),
        (b"", "0 graphs"),
        (b"\x80\x04K*.", "not protobuf"),
        (b"not a model", None),
        (model() + model(), "2 graphs"),
    ],
)
def test_a_model_that_is_not_only_trees_is_refused(raw, reason):
    with pytest.raises(ModelError, match=reason):
        onnx_guard.check(raw)


def test_a_tensor_with_external_data_hidden_in_an_attribute_is_found():
    tensor = external_tensor("w.bin")
    node = stump()
    node.attribute.append(helper.make_attribute("nodes_values_as_tensor", tensor))
    with pytest.raises(ModelError, match="outside"):
        onnx_guard.check(model([node]))


def test_external_location_without_a_file_name_is_refused_too():
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[2, 1])
    tensor.data_location = TensorProto.EXTERNAL
    with pytest.raises(ModelError, match="outside"):
        onnx_guard.check(model(initializers=[tensor]))


def test_a_model_over_the_limit_is_not_walked():
    with pytest.raises(ModelError, match="at most"):
        onnx_guard.check(bytes(onnx_guard.MAX_MODEL_BYTES + 1))


def test_any_cut_is_refused_or_a_shorter_model():
    """Never anything but a ModelError, wherever the bytes end."""
    whole, refused = model(), 0
    for length in range(len(whole)):
        try:
            onnx_guard.check(whole[:length])
        except ModelError:
            refused += 1
    assert refused > len(whole) // 2


def test_random_bytes_changed_end_in_a_model_error_or_pass():
    chance, whole = random.Random(20261126), model()
    for _ in range(2000):
        changed = bytearray(whole)
        for _ in range(chance.randrange(1, 6)):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        try:
            onnx_guard.check(bytes(changed))
        except ModelError:
            continue
