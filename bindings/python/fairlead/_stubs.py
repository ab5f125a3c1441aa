"""Writes the package's type hints: python3 -m fairlead._stubs > fairlead/__init__.pyi

The classes of the algorithms come from the library's list, so this runs where it is built."""
import fairlead

HEAD = '''\
# Written by fairlead._stubs; do not edit.
import enum
from typing import Any, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Sequence
from typing import Tuple, TypeVar, Union

Key = Union[str, bytes, bytearray, memoryview]
Nodes = Union[Mapping[str, int], Iterable[Union[str, "Node", Tuple[Any, ...]]]]
_P = TypeVar("_P", bound="Placement")

__version__: str

class FairleadError(Exception): ...
class InvalidError(FairleadError, ValueError): ...
class LimitError(FairleadError, ValueError): ...
class ExistsError(FairleadError, ValueError): ...
class NotFoundError(FairleadError, LookupError): ...
class UnsupportedError(FairleadError, NotImplementedError): ...

class Capability(enum.IntFlag):
%(capabilities)s

class Node(NamedTuple):
    name: str
    weight: int = ...
    slot: Optional[int] = ...
    zone: Optional[str] = ...

class Algorithm(NamedTuple):
    name: str
    summary: str
    options: Dict[str, str]
    capabilities: Capability

class Flow(NamedTuple):
    source: Optional[str]
    target: Optional[str]
    share: float

class Movement(NamedTuple):
    moved: float
    least: float
    interval: float
    exact: bool
    flows: List[Flow]
    @property
    def excess(self) -> float: ...

def algorithms() -> List[Algorithm]: ...

class Placement:
    def __new__(cls: type[_P], spec: str, nodes: Nodes = ...) -> _P: ...
    @property
    def spec(self) -> str: ...
    @property
    def algorithm(self) -> str: ...
    @property
    def capabilities(self) -> Capability: ...
    @property
    def nodes(self) -> Tuple[Node, ...]: ...
    @property
    def weights(self) -> Dict[str, int]: ...
    @property
    def starved(self) -> List[str]: ...
    @property
    def digest(self) -> int: ...
    @property
    def memory(self) -> int: ...
    def lookup(self, key: Key, down: Optional[Iterable[str]] = ...) -> Optional[str]: ...
    def owners(self, key: Key, k: int, down: Optional[Iterable[str]] = ...) -> List[str]: ...
    def lookup_many(self, keys: Iterable[Union[str, bytes]],
                    down: Optional[Iterable[str]] = ...) -> List[Optional[str]]: ...
    def hash(self, key: Key) -> int: ...
    def shares(self, samples: int = ...) -> Dict[str, float]: ...
    def add(self: _P, name: str, weight: int = ..., slot: Optional[int] = ...,
            zone: Optional[str] = ...) -> _P: ...
    def remove(self: _P, name: str) -> _P: ...
    def reweight(self: _P, name: str, weight: int) -> _P: ...
    def movement(self, other: "Placement", samples: int = ...) -> Movement: ...
    def __len__(self) -> int: ...
    def __contains__(self, name: object) -> bool: ...
    def __iter__(self) -> Iterator[str]: ...
'''


def stub(algorithm):
    options = ["%s: %s = ..." % (o.replace("-", "_"), "int" if v.isdigit() else "str")
               for o, v in algorithm.options.items()]
    if options:
        options.insert(0, "*")
    return ("class %s(Placement):\n    def __new__(cls: type[_P], %s) -> _P: ...  "
            "# type: ignore[override]\n"
            % (fairlead._class_name(algorithm.name), ", ".join(["nodes: Nodes = ..."] + options)))


def main():
    print(HEAD % {"capabilities": "\n".join("    %s = %d" % (c.name, c.value)
                                            for c in fairlead.Capability)})
    print("\n".join(stub(a) for a in fairlead.algorithms()))


if __name__ == "__main__":
    main()
