"""The protocol buffers of Caffe and TensorFlow, as far as they hold images: their fields, and no more.

Sources: `caffe/proto/caffe.proto`, `tensorflow/core/example/example.proto` and `feature.proto`. A map is on
the wire a list of entries with a key and a value.
"""

from functools import cache
from typing import Any

from mnistry.data.formats import needed

_MESSAGES: dict[str, tuple[tuple[str, int, str, bool], ...]] = {
    "Datum": (
        ("channels", 1, "int32", False),
        ("height", 2, "int32", False),
        ("width", 3, "int32", False),
        ("data", 4, "bytes", False),
        ("label", 5, "int32", False),
        ("float_data", 6, "float", True),
        ("encoded", 7, "bool", False),
    ),
    "BytesList": (("value", 1, "bytes", True),),
    "FloatList": (("value", 1, "float", True),),
    "Int64List": (("value", 1, "int64", True),),
    "Feature": (
        ("bytes_list", 1, "BytesList", False),
        ("float_list", 2, "FloatList", False),
        ("int64_list", 3, "Int64List", False),
    ),
    "Entry": (("key", 1, "string", False), ("value", 2, "Feature", False)),
    "Features": (("feature", 1, "Entry", True),),
    "Example": (("features", 1, "Features", False),),
}
"""Of each message its fields: name, number, type, and whether it is repeated."""


@cache
def message(name: str) -> Any:
    """The class of a message."""
    descriptors = needed("google.protobuf.descriptor_pb2")
    field_type = descriptors.FieldDescriptorProto
    file = descriptors.FileDescriptorProto(name="mnistry.proto", package="mnistry", syntax="proto2")
    for called, fields in _MESSAGES.items():
        made = file.message_type.add(name=called)
        for field, number, kind, repeated in fields:
            label = field_type.LABEL_REPEATED if repeated else field_type.LABEL_OPTIONAL
            added = made.field.add(name=field, number=number, label=label)
            if kind in _MESSAGES:
                added.type, added.type_name = field_type.TYPE_MESSAGE, f".mnistry.{kind}"
            else:
                added.type = getattr(field_type, f"TYPE_{kind.upper()}")
    pool = needed("google.protobuf.descriptor_pool").DescriptorPool()
    pool.Add(file)
    found = pool.FindMessageTypeByName(f"mnistry.{name}")
    return needed("google.protobuf.message_factory").GetMessageClass(found)
