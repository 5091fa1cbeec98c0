"""Small ONNX models, honest and not, made with the reference library."""

from collections.abc import Sequence

from onnx import NodeProto, TensorProto, ValueInfoProto, helper


def stump(*, targets: int = 1, source: str = "x0", output: str = "y", **changed) -> NodeProto:
    """Return a tree of one split: 3.0 where the first value is at most 1.5, else 4.0."""
    fields = {
        "nodes_treeids": [0, 0, 0],
        "nodes_nodeids": [0, 1, 2],
        "nodes_featureids": [0, 0, 0],
        "nodes_modes": ["BRANCH_LEQ", "LEAF", "LEAF"],
        "nodes_values": [1.5, 0.0, 0.0],
        "nodes_truenodeids": [1, 0, 0],
        "nodes_falsenodeids": [2, 0, 0],
        "nodes_missing_value_tracks_true": [0, 0, 0],
        "nodes_hitrates": [1.0, 1.0, 1.0],
        "target_treeids": [0, 0],
        "target_nodeids": [1, 2],
        "target_ids": [0, 0],
        "target_weights": [3.0, 4.0],
        "n_targets": targets,
        "post_transform": "NONE",
    }
    return helper.make_node(
        "TreeEnsembleRegressor", [source], [output], domain="ai.onnx.ml", **(fields | changed)
    )


def value(name: str, width: int) -> ValueInfoProto:
    """Return a float tensor (n, width)."""
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", width])


def model(
    nodes: Sequence[NodeProto] = (),
    *,
    inputs: int = 1,
    declared: int = 1,
    initializers: Sequence[TensorProto] = (),
    functions: Sequence[object] = (),
) -> bytes:
    """Return a model of `nodes` (a stump unless given) from x0 (n, 2) to y (n, declared)."""
    graph = helper.make_graph(
        list(nodes) or [stump()],
        "g",
        [value(f"x{number}", 2) for number in range(inputs)],
        [value("y", declared)],
        list(initializers),
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    made = helper.make_model(
        graph, opset_imports=opsets, ir_version=8, functions=list(functions) or None
    )
    return made.SerializeToString()


def external_tensor(location: str) -> TensorProto:
    """Return a tensor whose values are said to lie in another file."""
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[2, 1])
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    return tensor
