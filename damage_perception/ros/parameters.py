"""Settings dataclasses as ROS parameters: declared with range, read back, changed while running."""

from __future__ import annotations

import sys
from typing import Any, Generic, TypeVar

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.exceptions import ParameterUninitializedException
from rclpy.node import Node
from rclpy.parameter import Parameter as RosParameter

from damage_perception.ros.parameter_docs import Parameter, parameters_of, with_values

T = TypeVar('T')

_INT_LIMIT = 2**63 - 1


class LiveSettings(Generic[T]):
    """The parameters of a node as a settings dataclass; `value` is always a valid whole.

    Args:
        node: the node that declares them.
        defaults: an instance of the dataclass.
        prefix: put before each name, such as `input.`.

    Raises:
        ValueError: if an override of the command line or a parameter file is refused.
    """

    def __init__(self, node: Node, defaults: T, prefix: str = '') -> None:
        self._prefix = prefix
        parameters = list(parameters_of(defaults, prefix))
        self._names = {parameter.name for parameter in parameters}
        values = {parameter.name: _value(node, parameter) for parameter in parameters}
        self.value: T = with_values(defaults, values, prefix)
        node.add_on_set_parameters_callback(self._check)
        node.add_post_set_parameters_callback(self._take)

    def _changed(self, parameters: list[RosParameter]) -> T:
        values = {p.name: p.value for p in parameters if p.name in self._names}
        return with_values(self.value, values, self._prefix)

    def _check(self, parameters: list[RosParameter]) -> SetParametersResult:
        try:
            self._changed(parameters)
        except (TypeError, ValueError) as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def _take(self, parameters: list[RosParameter]) -> None:
        self.value = self._changed(parameters)


def describe(parameter: Parameter) -> ParameterDescriptor:
    """Give the descriptor that `ros2 param describe` and rqt show."""
    descriptor = ParameterDescriptor(description=parameter.doc, read_only=not parameter.live)
    if parameter.low is None and parameter.high is None:
        return descriptor
    if isinstance(parameter.default, float):
        low = -sys.float_info.max if parameter.low is None else float(parameter.low)
        high = sys.float_info.max if parameter.high is None else float(parameter.high)
        descriptor.floating_point_range = [FloatingPointRange(from_value=low, to_value=high)]
    elif isinstance(parameter.default, int):
        first = -_INT_LIMIT if parameter.low is None else int(parameter.low)
        last = _INT_LIMIT if parameter.high is None else int(parameter.high)
        descriptor.integer_range = [IntegerRange(from_value=first, to_value=last, step=1)]
    return descriptor


def _value(node: Node, parameter: Parameter) -> Any:
    """Declare a parameter and give its value.

    An empty list tells rclpy nothing about its elements, and a parameter file with an empty list
    leaves a parameter without value; so such a one is declared by type and may have no value.
    """
    empty = parameter.default == []
    array = RosParameter.Type.STRING_ARRAY if parameter.texts else RosParameter.Type.DOUBLE_ARRAY
    default = array if empty else parameter.default
    if not node.has_parameter(parameter.name):
        node.declare_parameter(parameter.name, default, describe(parameter))
    try:
        return node.get_parameter(parameter.name).value
    except ParameterUninitializedException:
        return parameter.default
