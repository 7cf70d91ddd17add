"""The simulated Asterisk has all that the engine asks of the real one."""

from __future__ import annotations

import inspect

import pytest
from property.model_asterisk import ModelPbx

from asterisk_warm.engine.ports.pbx import Pbx
from asterisk_warm.engine.ports.speech import Speaker


def methods(port: type) -> list[str]:
    return [name for name, value in vars(port).items() if inspect.isfunction(value) and name[0] != "_"]


@pytest.mark.parametrize("port", [Pbx, Speaker])
def test_given_a_port_then_the_model_has_each_of_its_methods_with_the_same_parameters(port):
    for name in methods(port):
        asked, given = getattr(port, name), getattr(ModelPbx, name)
        assert inspect.signature(given).parameters.keys() == inspect.signature(asked).parameters.keys(), name
        assert inspect.iscoroutinefunction(given) is inspect.iscoroutinefunction(asked)
