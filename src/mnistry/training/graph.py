"""The graph of an exported model in the form that TensorBoard draws."""

import onnx


def tensorboard_graph(content: bytes) -> bytes:
    """The graph of an ONNX file as TensorBoard's, serialized: its operations, with the shapes that they give.

    tensorboardX has such a function too, but it prints names, knows no shapes, and leaves out the weights.
    """
    from tensorboardX.proto.attr_value_pb2 import AttrValue
    from tensorboardX.proto.graph_pb2 import GraphDef
    from tensorboardX.proto.node_def_pb2 import NodeDef
    from tensorboardX.proto.tensor_shape_pb2 import TensorShapeProto
    from tensorboardX.proto.versions_pb2 import VersionDef

    graph = onnx.shape_inference.infer_shapes(onnx.load_model_from_string(content)).graph
    shapes = {constant.name: [int(size) for size in constant.dims] for constant in graph.initializer} | {
        value.name: [size.dim_value or -1 for size in value.type.tensor_type.shape.dim]
        for value in (*graph.input, *graph.value_info, *graph.output)
    }

    def node(outputs: list[str], operator: str, inputs: list[str]) -> NodeDef:
        of_outputs = AttrValue.ListValue(
            shape=[
                TensorShapeProto(dim=[TensorShapeProto.Dim(size=size) for size in shapes.get(name, [])])
                for name in outputs
            ]
        )
        attributes = {"_output_shapes": AttrValue(list=of_outputs)}
        return NodeDef(name=places[outputs[0]], op=operator, input=inputs, attr=attributes)

    places = {value.name: value.name for value in graph.input}
    places |= {constant.name: f"weights/{constant.name}" for constant in graph.initializer}
    nodes = [node([value.name], "Placeholder", []) for value in graph.input]
    nodes += [node([constant.name], "Const", []) for constant in graph.initializer]
    for operation in graph.node:
        first, *others = operation.output
        places[first] = first
        places |= {name: f"{first}:{index}" for index, name in enumerate(others, 1)}
        inputs = [places[name] for name in operation.input if name]
        nodes.append(node(list(operation.output), operation.op_type, inputs))
    serialized: bytes = GraphDef(node=nodes, versions=VersionDef(producer=22)).SerializeToString()
    return serialized
